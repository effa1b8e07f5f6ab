// Package differential holds the test that runs generated configurations with
// berth and with Debian's runc, and compares what a program sees inside.
package differential
