// Package differential contains the test that runs generated configurations with berth
// and with Debian's runc, and compares what the program reports.
package differential
