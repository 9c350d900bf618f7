package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOperatorGuide pastes the commands of the operator's page into a shell.
func TestOperatorGuide(t *testing.T) {
	t.Parallel()
	s := serveSandbox(t)
	dir := t.TempDir()
	if err := os.Symlink(s.config.DataDir, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(block(t, "../../docs/operator.md", "operator", "bash"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"45d after delivery", "strict", `"payout_weekday": "tuesday"`, "0.8774"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}
