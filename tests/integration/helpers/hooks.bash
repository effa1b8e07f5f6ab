# Hooks that tell what they see.

# hook_bundle: a new bundle whose hooks can write to $OUT, $T/seen here.
hook_bundle() {
	new_bundle
	mkdir -m 777 "$T/seen"
	config '.mounts += [{destination: "/out", type: "bind", source: $out, options: ["bind"]}]' --arg out "$T/seen"
}

# hook KIND SCRIPT [FILTER]: add a hook that runs a shell script. It may use
# $OUT, a directory that is the same on both sides, and $KIND. FILTER changes
# the hook's entry.
hook() {
	local shell=/bin/sh out=$T/seen
	case $1 in startContainer) out=/out ;; esac
	config ".hooks[\$kind] += [{path: \$shell, args: [\"sh\", \"-c\", \$script], env: [\"OUT=\" + \$out, \"KIND=\" + \$kind, \"PATH=\" + \$path]} | ${3:-.}]" \
		--arg kind "$1" --arg shell "$shell" --arg script "$2" --arg out "$out" --arg path /usr/sbin:/usr/bin:/sbin:/bin
}

# hooks SCRIPT: one of each kind.
hooks() {
	local kind
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		hook "$kind" "$1"
	done
}

# logged: the lines that hooks have written to the log, as one.
logged() {
	tr '\n' ' ' <"$T/seen/log" 2>/dev/null || true
}

# told KIND: what was written to its file.
told() {
	cat "$T/seen/$1"
}

# gone ID: nothing is left of the container.
gone() {
	rt state "$1"
	refused 'container does not exist'
}
