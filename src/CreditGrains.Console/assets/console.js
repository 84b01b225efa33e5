// The pages work without this script. It fetches what a link or form leads to and puts only the content anew, so that focus and place stay; it previews while one types; it closes menus.
const main = () => document.getElementById("main");
let latest = 0, soon;

// Of what one typed meanwhile nothing is lost: an answer to something older is not shown.
async function load(url, request, isCurrent) {
  const keep = isCurrent !== undefined;
  const turn = ++latest;
  document.documentElement.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(url, { credentials: "same-origin", ...request });
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("text/html")) { location.assign(url); return; }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // Whoever has asked for something else meanwhile gets that.
    if (turn !== latest || (keep && !isCurrent())) return;
    show(page, keep);
    if (!keep && response.url !== location.href) history.pushState(null, "", response.url);
  } catch {
    if (turn === latest) main().prepend(notice("The console cannot be reached; try again after a moment."));
  } finally {
    if (turn === latest) document.documentElement.removeAttribute("aria-busy");
  }
}

function show(page, keep) {
  const focused = document.activeElement, name = focused?.id || focused?.name, place = keep ? scrollY : 0;
  const caret = keep && focused?.type === "text" ? [focused.selectionStart, focused.selectionEnd] : null;
  document.title = page.title;
  document.body.replaceChildren(...page.body.childNodes);
  scrollTo(0, place);
  const again = keep && name ? document.getElementById(name) ?? document.getElementsByName(name)[0] : null;
  if (again) {
    again.focus({ preventScroll: true });
    if (caret) again.setSelectionRange(...caret);
  } else {
    (document.querySelector("[autofocus]") ?? main())?.focus({ preventScroll: true });
  }
}

function notice(text) {
  const element = document.createElement("div");
  element.className = "notice bad";
  element.setAttribute("role", "alert");
  element.textContent = text;
  return element;
}

const isOurs = url => url.origin === location.origin && url.pathname.startsWith("/console") && !url.pathname.startsWith("/console/assets/");

document.addEventListener("click", event => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.download || link.rel === "external") return;
  const url = new URL(link.href);
  if (!isOurs(url) || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  load(url.href, {});
});

document.addEventListener("submit", event => {
  const form = event.target, by = event.submitter;
  const url = new URL(form.action, location.href);
  if (event.defaultPrevented || !isOurs(url)) return;
  event.preventDefault();
  clearTimeout(soon);
  const fields = () => new URLSearchParams(new FormData(form, by)), data = fields();
  if (form.method === "post") load(url.href, { method: "POST", body: data }, by?.hasAttribute("data-live") ? () => fields().toString() === data.toString() : undefined);
  else load(`${url.pathname}?${data}`, {});
});

// A form with a live button is sent by it soon after something was changed.
const live = event => {
  const button = event.target.form?.querySelector("button[data-live]");
  if (!button) return;
  clearTimeout(soon);
  soon = setTimeout(() => button.isConnected && button.form.requestSubmit(button), event.type === "change" ? 50 : 400);
};
document.addEventListener("input", live);
document.addEventListener("change", live);

document.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]") ?? document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

addEventListener("popstate", () => load(location.href, {}));
