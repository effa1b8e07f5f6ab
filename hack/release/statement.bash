# shellcheck shell=bash disable=SC2154 # the variables are those of hack/release/build
# The statement of provenance: in-toto's format, with SLSA's predicate.

# statement: which commit, which Go, which settings made which files. It has nothing of
# the machine and the time, so it is reproducible, too.
statement() {
	local settings
	settings=$(architectures | jq -R -s 'split("\n") | map(select(. != "") | split(" ") | {(.[0]): .[1:]}) | add')
	(cd "$dist" && sha256sum -- *) | jq -R -s --tab \
		--arg version "$version" --arg commit "$(git rev-parse HEAD)" --arg go "$(go env GOVERSION)" \
		--arg tags "$(hack/build --tags)" --arg shimTags "$(hack/build --tags shim)" --argjson settings "$settings" '{
			_type: "https://in-toto.io/Statement/v1",
			subject: (split("\n") | map(select(. != "") | capture("^(?<sha256>[0-9a-f]+)  (?<name>.*)$") | {name, digest: {sha256}})),
			predicateType: "https://slsa.dev/provenance/v1",
			predicate: {
				buildDefinition: {
					buildType: "https://github.com/berth-oci/berth/blob/main/RELEASES.md",
					externalParameters: {version: $version, command: "make release"},
					internalParameters: {go: $go, cgo: false, tags: {berth: $tags, "containerd-shim-berth-v2": $shimTags}, trimpath: true, settings: $settings},
					resolvedDependencies: [{uri: "git+https://github.com/berth-oci/berth", digest: {gitCommit: $commit}}]
				},
				runDetails: {builder: {id: "https://github.com/berth-oci/berth/blob/main/hack/release/build"}}
			}
		}'
}
