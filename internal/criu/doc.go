// Package criu speaks CRIU's RPC protocol (criu.org/RPC) with a CRIU process that has
// no other client ("criu swrk"). It has the messages that berth needs, in the encoding
// of protocol buffers. It knows nothing of containers.
package criu
