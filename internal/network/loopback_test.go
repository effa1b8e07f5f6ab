package network

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// answerLoopback calls LoopbackUp with a recorder as stub, which reads the
// answer.
func answerLoopback(t *testing.T, answer []byte) (lines []string, err error) {
	t.Helper()
	p, rec := stub.Record(nil)
	rec.Answer = func(call, _ string) (int64, bool) { return int64(len(answer)), call == "read" }
	rec.Output = func(string, string) []byte { return answer }
	LoopbackUp(p)
	err = p.Do()
	return rec.Lines, err
}

// answerOf returns the kernel's acknowledgement of the first message, with an
// errno.
func answerOf(e unix.Errno) []byte {
	code := binary.NativeEndian.AppendUint32(nil, uint32(-int32(e)))
	return reply(unix.NLMSG_ERROR, unix.NLM_F_CAPPED, 1, append(code, make([]byte, unix.NLMSG_HDRLEN)...))
}

func TestLoopbackUp(t *testing.T) {
	lines, err := answerLoopback(t, answerOf(0))
	if err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(lines[0], "socket(16, ") {
		t.Errorf("not a netlink socket: %v", lines)
	}
	_, err = answerLoopback(t, answerOf(unix.EPERM))
	if !errors.Is(err, unix.EPERM) || !strings.HasPrefix(err.Error(), "set lo up: ") {
		t.Errorf("EPERM: %v", err)
	}
}

// The stub's answers are untrusted: without an acknowledgement, LoopbackUp
// fails.
func TestLoopbackUpNeedsAnAcknowledgement(t *testing.T) {
	other := answerOf(0)
	binary.NativeEndian.PutUint32(other[8:], 2) // sequence number
	for name, answer := range map[string][]byte{
		"nothing": nil, "half a message": answerOf(0)[:18], "another message's": other,
		"a link": reply(unix.RTM_NEWLINK, 0, 1, make([]byte, 16)),
	} {
		if _, err := answerLoopback(t, answer); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
