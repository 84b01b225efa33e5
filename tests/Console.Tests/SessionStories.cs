using System.Diagnostics;
using System.Text.Json.Nodes;
using CreditGrains.Editions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CreditGrains.Pages.Tests;

/// <summary>Signing in and out, and what protects a session.</summary>
public sealed class SessionStories(Served served)
{
    [Fact]
    public async Task Whoever_is_not_signed_in_signs_in_first_and_is_led_on()
    {
        var page = await served.Open(null);
        await page.GotoAsync("/console/ledger?limit=5");
        await Expect(page).ToHaveTitleAsync("Sign in · CreditGrains");
        await page.GetByLabel("API key").FillAsync("nonsense");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("must be one that is known here");
        await page.GetByLabel("API key").FillAsync(Served.KeyOf("auditor"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/console/ledger"));
        await SignOutForGood(page);
    }

    [Fact]
    public async Task Whoever_an_identity_provider_names_signs_in_there_with_the_role_of_the_claims()
    {
        served.Provider.Person = issuer => issuer.Claims("max", "manager", "books");
        var page = await served.Open(null);
        await page.GotoAsync("/console/ledger?limit=5");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in at" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/console/ledger"));
        await Expect(page.GetByRole(AriaRole.Banner)).ToContainTextAsync("jwt:max");
        await Expect(page.GetByRole(AriaRole.Banner)).ToContainTextAsync("manager of books");
        await page.GotoAsync("/console");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "New contract" })).ToHaveCountAsync(0);

        // The session opens pages, not the API.
        Assert.Equal(401, (await page.Context.APIRequest.GetAsync("/v1/me")).Status);
        await SignOutForGood(page);
    }

    [Fact]
    public async Task An_identity_provider_that_does_not_say_who_calls_lets_nobody_in()
    {
        var page = await served.Open(null);
        foreach (var (person, words) in new (Func<Issuer, JsonObject>, string)[]
        {
            (issuer => issuer.Claims("mo", "king"), "the claim creditgrains_role must be one of"),
            (issuer => issuer.Claims("mo", "manager"), "creditgrains_client"),
            (issuer => With(issuer.Claims("mo", "operator"), "aud"), "The provider did not say who you are"),
            (issuer => With(issuer.Claims("mo", "operator"), "nonce"), "The provider did not say who you are"),
        })
        {
            served.Provider.Person = person;
            await page.GotoAsync("/console");
            await page.GetByRole(AriaRole.Link, new() { Name = "Sign in at" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync(words);
        }

        // Nobody but the provider leads here.
        await page.GotoAsync("/console/signed-in?code=forged&state=forged");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("The provider did not say who you are");
        await page.GotoAsync("/console");
        await Expect(page).ToHaveTitleAsync("Sign in · CreditGrains");
    }

    [Fact]
    public async Task A_key_that_is_taken_away_ends_its_sessions()
    {
        var page = await served.Open("manager-gone");
        await served.Revoke("manager-gone");

        // The file is read again within a second.
        for (var since = Stopwatch.StartNew(); since.Elapsed < TimeSpan.FromSeconds(20) && await page.TitleAsync() != "Sign in · CreditGrains";)
            await page.GotoAsync("/console/contracts");
        await Expect(page).ToHaveTitleAsync("Sign in · CreditGrains");
    }

    [Fact]
    public async Task A_form_of_another_page_is_refused_and_no_page_runs_what_is_not_ours()
    {
        var page = await served.Open("op");
        var cookies = await page.Context.CookiesAsync();
        Assert.All(cookies, cookie => Assert.True(cookie.HttpOnly && cookie.SameSite is SameSiteAttribute.Lax or SameSiteAttribute.Strict));
        var answer = await page.Context.APIRequest.PostAsync("/console/new-contract", new() { Form = page.Context.APIRequest.CreateFormData().Set("_handler", "contract").Set("contractId", "FORGED") });
        Assert.Equal(400, answer.Status);
        Assert.Contains("The form is too old", await answer.TextAsync());
        await served.Call("GET", "/v1/contracts/FORGED", status: 404);

        var policy = answer.Headers["content-security-policy"];
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self'", policy);
        Assert.DoesNotContain("unsafe", policy);
    }

    [Fact]
    public async Task The_address_of_the_service_leads_to_the_console()
    {
        var page = await served.Open("auditor");
        await page.GotoAsync("/");
        await Expect(page).ToHaveTitleAsync("Contracts · CreditGrains");
    }

    private static JsonObject With(JsonObject claims, string name)
    {
        claims[name] = "another";
        return claims;
    }

    // Nothing opens a page afterwards.
    private static async Task SignOutForGood(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveTitleAsync("Sign in · CreditGrains");
        await page.GotoAsync("/console");
        await Expect(page).ToHaveTitleAsync("Sign in · CreditGrains");
    }
}
