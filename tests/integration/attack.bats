# A hostile root file system: while the runtime creates containers, another process
# exchanges directories and files of it for symbolic links that lead out of it, and
# back. 2,200 creates in all; tests/attack describes the scenarios and the checks.
load helpers

# attacked CREATES SCENARIO: nothing was made, changed or mounted outside.
attacked() {
	mkdir "$T/work"
	"$ATTACK" --creates "$1" "$RUNTIME" "$2" "$T/work" "$CGROUP" >"$T/out" 2>&1 || failed "$(<"$T/out")"
	assert_match "$2: $1 creates" "$(<"$T/out")"
}

# bats test_tags=berth
@test "create resists an attacker that exchanges mount points and their parents for links" {
	attacked 400 mounts
}

# bats test_tags=berth
@test "create resists an attacker that exchanges the parents of missing mount points for links" {
	attacked 300 missing
}

# bats test_tags=berth
@test "create resists an attacker that exchanges an image's own /dev for links" {
	attacked 300 dev
}

# bats test_tags=berth
@test "create resists an attacker that exchanges /proc and /sys for links" {
	attacked 300 proc
}

# bats test_tags=berth
@test "create resists an attacker that exchanges mount points in a volume for links to /proc" {
	attacked 300 volume
}

# bats test_tags=berth
@test "create resists an attacker that exchanges mount points in a user namespace for links" {
	attacked 300 user
}

# bats test_tags=berth
@test "create --no-pivot resists an attacker that exchanges mount points for links" {
	attacked 200 no-pivot
}

# bats test_tags=berth
@test "mounts add resists an attacker that exchanges mount points for links" {
	attacked 100 added
}
