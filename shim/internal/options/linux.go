package options

import (
	"fmt"

	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/encoding/protowire"
)

// linuxType is the message that clients of containerd 1.x send with a user namespace to a
// runtime type that they do not know: the options of a runtime that containerd 2 lacks,
// with its message.
const linuxType = "containerd.linux.runc.CreateOptions"

// The fields of that message that are options here, too. Those from 2 to 7 allow what a
// checkpoint may contain; containerd never sets them.
const (
	linuxNoPivotRoot  = 1
	linuxNoNewKeyring = 8
	linuxShimCgroup   = 9
	linuxIoUID        = 10
	linuxIoGID        = 11
	linuxCriuWorkPath = 12
	linuxCriuImages   = 13 // see fromRunc
)

func fromLinux(message []byte) (*Options, error) {
	o := new(Options)
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, invalid(protowire.ParseError(n))
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(field, kind, message)
		if size < 0 {
			return nil, invalid(protowire.ParseError(size))
		}
		if err := o.setLinux(field, kind, message[:size]); err != nil {
			return nil, err
		}
		message = message[size:]
	}
	return o, nil
}

func (o *Options) setLinux(field protowire.Number, kind protowire.Type, value []byte) error {
	number, text := uint64(0), ""
	switch kind {
	case protowire.VarintType:
		number, _ = protowire.ConsumeVarint(value)
	case protowire.BytesType:
		text, _ = protowire.ConsumeString(value)
	}
	switch field {
	case linuxNoPivotRoot:
		o.NoPivotRoot = number != 0
	case linuxNoNewKeyring:
		o.NoNewKeyring = number != 0
	case linuxShimCgroup:
		o.ShimCgroup = text
	case linuxIoUID:
		o.IoUid = uint32(number)
	case linuxIoGID:
		o.IoGid = uint32(number)
	case linuxCriuWorkPath:
		o.CriuWorkPath = text
	case linuxCriuImages:
	default:
		return fmt.Errorf("options: field %d of %s: %w", field, linuxType, errdefs.ErrNotImplemented)
	}
	return nil
}

func invalid(err error) error {
	return fmt.Errorf("read options: %w: %w", errdefs.ErrInvalidArgument, err)
}
