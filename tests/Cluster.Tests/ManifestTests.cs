using System.Text.RegularExpressions;
using CreditGrains.Editions;
using CreditGrains.Grains.Hosting;
using k8s;
using YamlDotNet.RepresentationModel;

namespace CreditGrains.Cluster.Tests;

/// <summary>The manifests in deploy/, as far as they can be checked without a cluster: they parse, name options that exist, and keep to what the pages promise.</summary>
public sealed class ManifestTests
{
    private static readonly string Deploy = Path.Combine(Child.Root, "deploy");

    [Fact]
    public void Kubernetes_gets_every_object_once_and_pods_that_a_restricted_namespace_admits()
    {
        var objects = Load("kubernetes/creditgrains.yaml");
        Assert.Equal(
            ["Deployment", "HorizontalPodAutoscaler", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"],
            objects.Select(found => Text(found, "kind")).Order());
        foreach (var kind in new[] { "Deployment", "Job" })
        {
            var pod = At(Of(objects, kind), "spec", "template", "spec");
            Assert.Equal("false", Text(pod, "enableServiceLinks"));
            Assert.Equal("false", Text(pod, "automountServiceAccountToken"));
            Assert.Equal("true", Text(pod, "securityContext", "runAsNonRoot"));
            Assert.Equal("RuntimeDefault", Text(pod, "securityContext", "seccompProfile", "type"));
            var container = Assert.Single(Items(pod, "containers"));
            Assert.Equal("false", Text(container, "securityContext", "allowPrivilegeEscalation"));
            Assert.Equal("true", Text(container, "securityContext", "readOnlyRootFilesystem"));
            Assert.Equal(["ALL"], Items(container, "securityContext", "capabilities", "drop").Select(item => $"{item}"));
            Assert.Equal(Items(pod, "volumes").Select(volume => Text(volume, "name")).Order(), Items(container, "volumeMounts").Select(mount => Text(mount, "name")).Order());
        }
    }

    [Fact]
    public void Probes_and_policies_name_ports_that_the_silo_has()
    {
        var objects = Load("kubernetes/creditgrains.yaml");
        var pod = At(Of(objects, "Deployment"), "spec", "template", "spec");
        var silo = Items(pod, "containers").Single();
        var ports = Items(silo, "ports").ToDictionary(port => Text(port, "name"), port => Text(port, "containerPort"));
        Assert.All(new[] { "startupProbe", "readinessProbe", "livenessProbe" }, probe => Assert.Contains(Text(silo, probe, "httpGet", "port"), ports.Keys));
        Assert.Equal("http", Text(Items(Of(objects, "Service"), "spec", "ports").Single(), "targetPort"));
        Assert.Equal(
            ports.Values.Order(), Items(Of(objects, "NetworkPolicy"), "spec", "ingress").SelectMany(rule => Items(rule, "ports")).Select(port => Text(port, "port")).Order());

        // The pod's end is longer than what it is made of: the drain, and 30 seconds for what is under way.
        var drain = int.Parse(Items(silo, "env").Where(variable => Text(variable, "name") == "CREDITGRAINS_DRAIN").Select(variable => Text(variable, "value")).Single(), null);
        Assert.True(int.Parse(Text(pod, "terminationGracePeriodSeconds"), null) > drain + 30);
        Assert.Equal(("Deployment", "creditgrains"), (Text(Of(objects, "HorizontalPodAutoscaler"), "spec", "scaleTargetRef", "kind"), Text(Of(objects, "Deployment"), "metadata", "name")));
    }

    [Fact]
    public void Kubernetes_knows_every_field_and_kustomize_finds_every_file()
    {
        var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(Deploy, "kubernetes", "creditgrains.yaml")), strict: true);
        Assert.Equal(Load("kubernetes/creditgrains.yaml").Count, objects.Count);
        Assert.All(objects, found => Assert.False(string.IsNullOrEmpty(((IKubernetesObject)found).Kind)));

        var kustomization = Load("kubernetes/kustomization.yaml").Single();
        var files = Directory.EnumerateFiles(Path.Combine(Deploy, "kubernetes")).Select(Path.GetFileName).Where(file => file != "kustomization.yaml");
        Assert.Equal(files.Order(), Items(kustomization, "resources").Select(file => $"{file}").Order());
        var image = Items(kustomization, "images").Single();
        var used = Regex.Matches(File.ReadAllText(Path.Combine(Deploy, "kubernetes", "creditgrains.yaml")), @"image: (\S+)").Select(match => match.Groups[1].Value).Distinct();
        Assert.Equal([$"{Text(image, "name")}:{Text(image, "newTag")}"], used);
        Assert.Equal(Product.Version, Text(image, "newTag"));
    }

    [Theory, InlineData("kubernetes/creditgrains.yaml"), InlineData("compose.yaml")]
    public void Every_variable_is_an_option_and_every_image_has_a_version(string file)
    {
        Load(file);
        var text = File.ReadAllText(Path.Combine(Deploy, file));
        var options = Regex.Matches(ServerOptions.Help, @"--([a-z-]+)").Select(option => $"CREDITGRAINS_{option.Groups[1].Value.Replace('-', '_').ToUpperInvariant()}").ToHashSet();
        Assert.All(Regex.Matches(text, @"CREDITGRAINS_\w+").Select(variable => variable.Value), variable => Assert.Contains(variable, options));
        Assert.All(Regex.Matches(text, @"image: (\S+)").Select(image => image.Groups[1].Value), image => Assert.Matches(@":\d", image));
    }

    [Fact]
    public void Every_alert_says_what_has_happened_and_is_on_the_operators_page()
    {
        var page = File.ReadAllText(Path.Combine(Child.Root, "docs", "operations.md"));
        var rules = Items(Items(Load("prometheus/alerts.yaml").Single(), "groups").Single(), "rules").ToList();
        Assert.All(rules, rule =>
        {
            Assert.NotEmpty(Text(rule, "expr"));
            Assert.NotEmpty(Text(rule, "annotations", "summary"));
            Assert.Contains(Text(rule, "alert"), page, StringComparison.Ordinal);
        });
    }

    private static List<YamlNode> Load(string file)
    {
        var stream = new YamlStream();
        using var text = new StreamReader(Path.Combine(Deploy, file));
        stream.Load(text);
        return [.. stream.Documents.Select(document => document.RootNode)];
    }

    private static YamlNode Of(List<YamlNode> objects, string kind) => objects.Single(found => Text(found, "kind") == kind);

    private static YamlNode At(YamlNode node, params string[] path) => path.Aggregate(node, (at, name) => at[name]);

    private static string Text(YamlNode node, params string[] path) => ((YamlScalarNode)At(node, path)).Value!;

    private static IEnumerable<YamlNode> Items(YamlNode node, params string[] path) => ((YamlSequenceNode)At(node, path)).Children;
}
