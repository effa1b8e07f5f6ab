# features: everything that it lists must work.
load helpers

# feature FILTER
feature() {
	jq -c "$1" <<<"$out"
}

@test "features prints one JSON object, indented with four blanks, and nothing else" {
	runtime_ok features
	assert_equal "" "$err"
	[ -n "$out" ]
	assert_equal "$(jq --indent 4 . <<<"$out")" "$out"
	assert_equal "" "$(tail -c 1 "$T/out" | tr -d '\n')"
}

@test "features needs no state root and no privileges" {
	run -0 --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$RUNTIME" features
	assert_equal "" "$stderr"
	[ -n "$output" ]
	jq -e .linux <<<"$output" >/dev/null
}

@test "features takes no arguments" {
	runtime features extra
	assert_equal 1 "$status"
	assert_match '"features" requires exactly 0 argument\(s\)' "$msg"
}

@test "features prints the versions of the specification" {
	runtime_ok features
	assert_equal '"1.0.0"' "$(feature .ociVersionMin)"
	assert_match '^"1\.' "$(feature .ociVersionMax)"
	runtime_ok --version
	local spec
	spec=$(sed -n 's/^spec: //p' <<<"$out")
	runtime_ok features
	assert_equal "\"$spec\"" "$(feature .ociVersionMax)"
}

@test "features lists sorted mount options, the required ones among them" {
	runtime_ok features
	assert_equal "$(feature '.mountOptions | sort')" "$(feature .mountOptions)"
	assert_equal '[]' "$(feature '["async","atime","bind","defaults","dev","diratime","dirsync","exec","mand","noatime",
		"nodev","nodiratime","noexec","nomand","norelatime","nostrictatime","nosuid","private","rbind","relatime",
		"remount","ro","rprivate","rshared","rslave","runbindable","rw","shared","slave","strictatime","suid","sync",
		"tmpcopyup","unbindable","rro","rrw","rnosuid","rnodev","rnoexec"] - .mountOptions')"
}

@test "features lists the supported namespaces" {
	runtime_ok features
	assert_equal '[]' "$(feature '["cgroup","ipc","mount","network","pid","uts"] - .linux.namespaces')"
	assert_equal "$(feature '.linux.namespaces | sort')" "$(feature .linux.namespaces)"
}

@test "features lists the capabilities of the kernel's headers" {
	runtime_ok features
	assert_equal 41 "$(feature '.linux.capabilities | length')"
	assert_equal '"CAP_CHOWN"' "$(feature '.linux.capabilities[0]')"
	assert_equal '"CAP_CHECKPOINT_RESTORE"' "$(feature '.linux.capabilities[40]')"
}

@test "every mount option that features lists works" {
	runtime_ok features
	local option options
	mapfile -t options < <(jq -r '.mountOptions[]' <<<"$out")
	new_bundle
	args true
	mkdir "$T/source"
	((${#options[@]} > 30))
	for option in "${options[@]}"; do
		# These apply to bind mounts; remount to existing mounts.
		case $option in
		remount) continue ;;
		bind | rbind) config '.mounts[7] = {destination: "/mnt", type: "none", source: $s, options: [$o]}' --arg o "$option" --arg s "$T/source" ;;
		copy-symlink | dest-nofollow | src-nofollow) config '.mounts[7] = {destination: "/mnt", type: "none", source: $s, options: ["bind", $o]}' --arg o "$option" --arg s "$T/source" ;;
		idmap | ridmap) config '.mounts[7] = {destination: "/mnt", type: "none", source: $s, options: ["bind", $o],
			uidMappings: [{containerID: 0, hostID: 5, size: 1}], gidMappings: [{containerID: 0, hostID: 5, size: 1}]}' --arg o "$option" --arg s "$T/source" ;;
		*) config '.mounts[7] = {destination: "/mnt", type: "tmpfs", source: "tmpfs", options: [$o]}' --arg o "$option" ;;
		esac
		runtime create --bundle "$BUNDLE" c
		succeeded "option $option"
		runtime_ok delete c
	done
}

@test "every namespace that features lists works" {
	runtime_ok features
	local names
	names=$(jq -c '.linux.namespaces - ["user", "time"] | map({type: .})' <<<"$out")
	new_bundle
	args true
	config '.linux.namespaces = $names' --argjson names "$names"
	runtime_ok run --bundle "$BUNDLE" c
}

@test "every capability that features lists works" {
	runtime_ok features
	local names
	names=$(jq -c '.linux.capabilities' <<<"$out")
	new_bundle
	args true
	config '.process.capabilities = {bounding: $names}' --argjson names "$names"
	runtime --log "$T/log" run --bundle "$BUNDLE" c
	succeeded "all capabilities"
	# create may warn of a capability that the caller lacks, but not of an unknown one.
	refute_match 'level=error' "$(cat "$T/log")"
}
