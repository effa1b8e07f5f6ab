# Every test file loads this: the helpers of the other engines' tests, with their setup and
# teardown, and those in helpers.
# shellcheck source-path=SCRIPTDIR
source "${BATS_TEST_DIRNAME:?}/../engines/helpers.bash"
