package manager

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// groupAnnotations name the group of containers that share a shim, in this order: any
// group, and a Kubernetes pod.
var groupAnnotations = []string{"io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"}

// groupOf returns the group of the container in the current directory: its ID if it names
// none.
func groupOf(id string) (string, error) {
	text, err := os.ReadFile("config.json")
	if err != nil {
		return "", fmt.Errorf("read bundle: %w", err)
	}
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return "", fmt.Errorf("config.json: %w", err)
	}
	for _, name := range groupAnnotations {
		if group := spec.Annotations[name]; group != "" {
			return group, nil
		}
	}
	return id, nil
}

// readAll reads a pipe; nothing if it is a terminal of someone who tries the program.
func readAll(f *os.File) ([]byte, error) {
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice != 0 {
		return nil, err
	}
	return io.ReadAll(f)
}
