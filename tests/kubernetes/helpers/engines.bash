# The helpers of the other engines' tests that a node needs too.
for _file in "${BATS_TEST_DIRNAME:?}"/../engines/helpers/{cgroup,containerd,document}.bash; do
	# shellcheck source=/dev/null
	source "$_file"
done
unset _file
