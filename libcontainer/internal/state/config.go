package state

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berth-oci/berth/libcontainer/config"
)

// WriteConfig saves the configuration of a container in its directory.
func WriteConfig(dir string, cfg *config.Config) error { return writeJSON(dir, configFile, cfg) }

// ReadConfig reads the configuration that a container was created with. It is not in
// the state file: reading it takes longer than all else that the command "state" does.
// The error is fs.ErrNotExist if create was killed before WriteConfig.
func ReadConfig(dir string) (*config.Config, error) {
	b, err := readFile(dir, configFile)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	cfg := new(config.Config)
	if err := json.Unmarshal(b, cfg); err != nil {
		return nil, fmt.Errorf("read state %q: %w", filepath.Join(dir, configFile), err)
	}
	return cfg, nil
}

func writeJSON(dir, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "."+name)
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, name))
}
