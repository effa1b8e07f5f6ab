# Runs once, before the first test, as for the other engines.
# shellcheck source-path=SCRIPTDIR
source "${BATS_TEST_DIRNAME:?}/../engines/setup_suite.bash"
