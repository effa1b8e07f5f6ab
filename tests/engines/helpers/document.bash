# docs/engines.md: the tests use its lines.

# The image in its commands; made here, never fetched.
export IMAGE=docker.io/library/busybox:latest

# documented PATH [NOTE]: the block that the document has below the line "`PATH`:", or
# "`PATH`, NOTE:".
documented() {
	awk -v title="\`$1\`${2:+, $2}:" '
		$0 == title { found = 1; next }
		found && /^```/ { if (inside) exit; inside = 1; next }
		inside
		END { if (!inside) exit 1 }' "$DOCUMENT"
}

# configure PATH [NOTE]: write the documented lines there.
configure() {
	local text
	text=$(documented "$@") && printf '%s\n' "$text" >"$1"
}

# commands_of SECTION: the lines of its shell blocks.
commands_of() {
	awk -v title="## $1" '
		/^## / { found = $0 == title }
		/^```/ { inside = found && $0 == "```sh"; next }
		inside' "$DOCUMENT"
}
