package state

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/codec"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// WriteConfig saves the configuration of a container in its directory.
func WriteConfig(dir string, cfg *config.Config) error {
	return writeJSON(dir, configFile, cfg, codec.EncodeConfig)
}

// ReadConfig reads the configuration that a container was created with. It is not in
// the state file: most commands do not need it. The error is fs.ErrNotExist if create
// was killed before WriteConfig.
func ReadConfig(dir string) (*config.Config, error) {
	b, err := readFile(dir, configFile)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	cfg, err := codec.Unmarshal(b, codec.DecodeConfig)
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w", filepath.Join(dir, configFile), err)
	}
	return cfg, nil
}

// writeJSON replaces a file atomically: readers never see a part of it.
func writeJSON[T any](dir, name string, v *T, encode func(*T) ([]byte, bool)) error {
	b, err := codec.Marshal(v, encode)
	if err != nil {
		return err
	}
	if len(b) > maxFile { // no command could read it, not even delete
		return fmt.Errorf("%q would have %d bytes, more than %d: %w", filepath.Join(dir, name), len(b), maxFile, unix.EFBIG)
	}
	tmp := filepath.Join(dir, "."+name)
	if err := sys.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return sys.Rename(tmp, filepath.Join(dir, name))
}
