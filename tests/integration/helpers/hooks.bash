# Hooks that write down what they see.

# hook_bundle: make a bundle whose hooks can write to $OUT, which is $T/seen here.
hook_bundle() {
	new_bundle
	mkdir -m 777 "$T/seen"
	config '.mounts += [{destination: "/out", type: "bind", source: $out, options: ["bind"]}]' --arg out "$T/seen"
}

# hook KIND SCRIPT [FILTER]: add a hook that runs a shell script. It may use $KIND, and
# $OUT, the same directory on the host and in the container. FILTER changes the hook's
# entry.
hook() {
	local shell=/bin/sh out=$T/seen
	case $1 in startContainer) out=/out ;; esac
	config ".hooks[\$kind] += [{path: \$shell, args: [\"sh\", \"-c\", \$script], env: [\"OUT=\" + \$out, \"KIND=\" + \$kind, \"PATH=\" + \$path]} | ${3:-.}]" \
		--arg kind "$1" --arg shell "$shell" --arg script "$2" --arg out "$out" --arg path /usr/sbin:/usr/bin:/sbin:/bin
}

# hooks SCRIPT: add one hook of each kind.
hooks() {
	local kind
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		hook "$kind" "$1"
	done
}

# logged: the lines that hooks have written to the log, as one line.
logged() {
	tr '\n' ' ' <"$T/seen/log" 2>/dev/null || true
}

# hook_output KIND: the content of the hook's file.
hook_output() {
	cat "$T/seen/$1"
}

# no_such_container ID: the container no longer exists.
no_such_container() {
	runtime state "$1"
	refused 'container does not exist'
}
