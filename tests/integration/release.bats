# hack/release/cut, in a clone. make release-check tests what a release builds.
# bats file_tags=berth,tools
load helpers

prepare() {
	export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost HOME=$T
	mkdir -p "$T/clone/hack/release"
	cp "$BATS_TEST_DIRNAME/../../hack/release/cut" "$T/clone/hack/release/"
	cp "$BATS_TEST_DIRNAME/../../hack/version" "$T/clone/hack/"
	cd "$T/clone" || return
	printf '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.0.9] - 2026-01-02\n\n- Old.\n' >CHANGELOG.md
	echo 0.0.9 >VERSION
	printf '#!/bin/sh\necho "$1" >"../built"\n' >hack/release/build
	chmod +x hack/release/build
	git init -q
	git add -A
	git commit -qm start
}

@test "cut moves the entries of the changelog, writes the version, tags and builds" {
	local today
	today=$(date -u +%F)
	run -0 hack/release/cut 0.1.0
	assert_equal 0.1.0 "$(cat VERSION)"
	assert_equal "$(printf '## [Unreleased]\n\n## [0.1.0] - %s\n\n### Added\n\n- A thing.\n' "$today")" "$(sed -n '3,9p' CHANGELOG.md)"
	assert_equal "release: 0.1.0" "$(git log -1 --format=%s)"
	assert_equal v0.1.0 "$(git describe --exact-match)"
	assert_equal dist "$(cat "$T/built")"
	assert_equal "" "$(git status --porcelain)"
}

@test "cut --prepare ends before the tag, and the same command continues" {
	run -0 hack/release/cut --prepare 0.1.0
	assert_equal "" "$(git tag)"
	[ ! -e "$T/built" ]
	run -0 hack/release/cut 0.1.0
	assert_equal v0.1.0 "$(git describe --exact-match)"
	assert_equal 2 "$(git rev-list --count HEAD)"
	run hack/release/cut 0.1.0
	assert_equal 1 "$status"
	assert_match 'the tag v0.1.0 exists' "$output"
}

@test "cut refuses a checkout with changes, a bad version, and a release without entries" {
	local version
	for version in 1.0 1.0.0.0 01.0.0 1.0.0-beta "" x; do
		run hack/release/cut "$version"
		assert_equal 1 "$status"
		assert_match 'is no version' "$output"
	done
	touch new
	run hack/release/cut 0.1.0
	assert_match 'the checkout has changes' "$output"
	rm new
	sed -i '/A thing/d' CHANGELOG.md
	git commit -qam empty
	run hack/release/cut 0.1.0
	assert_match 'no entry below Unreleased' "$output"
	assert_equal 0.0.9 "$(cat VERSION)"
}

@test "a build after the tag has the number of commits and the commit in its version" {
	git tag v0.0.9
	assert_equal 0.0.9 "$(hack/version)"
	touch new
	git add new
	assert_match '^0\.0\.9\+0\.g[0-9a-f]{12}\.dirty$' "$(hack/version)"
	git commit -qm more
	assert_equal "0.0.9+1.g$(git rev-parse --short=12 HEAD)" "$(hack/version)"
	assert_equal "$(git log -1 --format=%ct)" "$(hack/version date)"
	assert_equal 7 "$(SOURCE_DATE_EPOCH=7 hack/version date)"
	rm -rf .git
	assert_equal 0.0.9 "$(hack/version)"
	assert_equal "" "$(GIT_CEILING_DIRECTORIES=$T hack/version commit)"
}
