# A person at a terminal: tmux is the terminal, and types.
# bats file_tags=tools
load helpers

prepare() {
	new_bundle
	config '.process.terminal = true | .process.args = ["sh"] | .process.env += ["PS1=inside> "]'
	tmux_ new-session -d -x 80 -y 24 env PS1='outside> ' ENV= dash -i
	wait_for 5 shows '^outside>'
}

tmux_() {
	tmux -S "$T/tmux" -f /dev/null "$@" 3>&- 4>&-
}

# types TEXT: type a text, and Enter.
types() {
	tmux_ send-keys -l -- "$1"
	tmux_ send-keys Enter
}

# presses KEY...: such as C-c.
presses() {
	tmux_ send-keys "$@"
}

# shows REGEX: a line of the screen matches it, for wait_for.
shows() {
	tmux_ capture-pane -p -J | grep -qE -- "$1"
}

# sees REGEX: wait until it appears on the screen.
sees() {
	wait_for 10 shows "$1" || failed "no line like $1 on the screen:" "$(tmux_ capture-pane -p)"
}

# clears: wait for a screen that is empty except for the shell's prompt.
clears() {
	types clear
	wait_for 10 cleared || failed "the screen is not cleared:" "$(tmux_ capture-pane -p)"
}

cleared() {
	[ "$(tmux_ capture-pane -p | grep -c .)" = 1 ]
}

# enters COMMAND...: run a command of the runtime, in which a shell prints its prompt.
enters() {
	types "stty -a >$T/before; $RUNTIME --root $ROOT $*; echo exit code \$?"
	sees '^inside>'
	clears
}

# leaves CODE: the outer shell prints the inner one's exit code, and its terminal has
# its old settings.
leaves() {
	sees "exit code $1\$" # after the prompt of the killed shell
	types "stty -a >$T/after"
	wait_for 10 appears "$T/after"
	# The size may differ: the person has changed it.
	assert_equal "$(sed 's/rows [0-9]*; columns [0-9]*;//' "$T/before")" "$(sed 's/rows [0-9]*; columns [0-9]*;//' "$T/after")"
	clears
	types 'printf "%s\n" sane and "echoed"'
	sees '^sane$'
	sees '^and$'
	sees 'printf .* sane and "echoed"$'
	tmux_ kill-server
}

# in_foreground COMMAND: it reads from its terminal, and is not stopped.
in_foreground() {
	ps -e -o stat=,args= | awk -v command="$1" '
		$1 ~ /^[^TZ].*\+/ { sub(/^[^ ]+ +/, ""); found = found || $0 == command }
		END { exit !found }'
}

# works: use a shell as a person does.
works() {
	types 'stty size'
	sees '^24 80$'
	tmux_ resize-window -x 100 -y 30
	types 'until stty size | grep "30 100"; do sleep 0.1; done'
	sees '^30 100$'
	clears

	types 'sleep 1000'
	wait_for 10 in_foreground 'sleep 1000'
	presses C-z
	sees 'Stopped'
	types 'bg %1'
	sees '^\[1\] sleep 1000$'
	types 'jobs' # a separate line: busybox's shell sometimes shows none right after bg
	sees 'Running'
	types 'fg'
	wait_for 10 in_foreground 'sleep 1000'
	presses C-c
	types 'echo "after ^C: $?"'
	sees '^after \^C: 130$'
	clears

	# Input that is typed while the shell edits its line does not reach the program.
	types 'echo "go" "on"; read -r line; echo "<$line>"'
	sees '^go on$'
	tmux_ send-keys -l 'corrected!'
	presses BSpace
	presses Enter
	sees '^<corrected>$'
	types 'tty; echo to the terminal >/dev/tty'
	sees '^/dev/pts/'
	sees '^to the terminal$'
	types 'cat; echo end of input'
	wait_for 10 in_foreground cat
	presses C-d
	sees '^end of input$'
}

@test "a person can work in a container's shell" {
	enters run --bundle "$BUNDLE" c
	works
	types 'exit 7'
	leaves 7
}

@test "a person can work in a shell of exec" {
	args sleep 1000
	config '.process.terminal = false'
	runtime_ok run -d --bundle "$BUNDLE" c
	enters exec --tty -e "PS1='inside> '" c sh
	works
	presses C-d
	leaves 0
}

@test "run restores the terminal when the container is killed" {
	enters run --bundle "$BUNDLE" c
	runtime_ok kill c KILL
	leaves 137
}

@test "run restores the terminal when the program cannot be executed" {
	args /nope
	types "stty -a >$T/before; $RUNTIME --root $ROOT run --bundle $BUNDLE c; echo exit code \$?"
	leaves 1
}

@test "run restores the terminal when only the kernel finds the program invalid" {
	printf garbage >"$BUNDLE/rootfs/bin/garbage"
	chmod +x "$BUNDLE/rootfs/bin/garbage"
	args /bin/garbage
	types "stty -a >$T/before; $RUNTIME --root $ROOT run --bundle $BUNDLE c; echo exit code \$?"
	leaves "(1|255)" # runc's process inside
}

@test "exec restores the terminal when its process is killed" {
	args sleep 1000
	config '.process.terminal = false'
	runtime_ok run -d --bundle "$BUNDLE" c
	enters exec --tty -e "PS1='inside> '" c sh
	types 'kill -KILL $$'
	leaves 137
}

@test "run restores the terminal when a signal ends it" {
	# An interactive shell ignores SIGTERM, but not SIGHUP.
	enters run --bundle "$BUNDLE" c
	types 'trap "exit 3" TERM; echo "set"'
	sees '^set$'
	kill -TERM "$(pgrep -f -- "^$RUNTIME --root $ROOT run ")"
	# It handles its traps when it has read a line.
	wait_for 10 ends_at_enter
	leaves 3
}

ends_at_enter() {
	presses Enter
	shows 'exit code 3$'
}

@test "run ends although a process keeps the terminal open" {
	config '.process.terminal = false'
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	types "stty -a >$T/before; $RUNTIME --root $ROOT exec -t c sh -c 'setsid sleep 999 </dev/tty >/dev/tty & sleep 0.1; exit 7'; echo exit code \$?"
	leaves 7
	runtime_ok exec c ps
	assert_match 'sleep 999' "$out"
}

@test "run passes on the output that is still in the terminal" {
	config '.process.args = ["sh", "-c", "seq 2000"]'
	types "$RUNTIME --root $ROOT run --bundle $BUNDLE c; echo exit code \$?"
	sees '^exit code 0$'
	sees '^2000$'
	tmux_ kill-server
}
