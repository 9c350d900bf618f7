package crash

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tradecredit/internal/db"
)

// patience bounds every wait for something that has to come.
const patience = 60 * time.Second

// node is the program as a process of its own.
type node struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string
	exited chan struct{} // closed once the process is gone
	log    *processLog
}

// processLog keeps what a process writes to its error output.
type processLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *processLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *processLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// nodeOn is how a node runs on a database.
func nodeOn(t testing.TB, o db.Options) nodeConfig {
	c := nodeConfig{DatabaseURL: o.URL, DataDir: filepath.Dir(o.File), Lease: 2 * time.Second}
	if o.File == "" {
		c.DataDir = t.TempDir()
	}
	return c
}

// start starts a process and returns once it listens; it may not be ready yet.
func start(t testing.TB, c nodeConfig) *node {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, cmd: exec.Command(os.Args[0], "-test.run=^$"), exited: make(chan struct{}), log: &processLog{}}
	n.cmd.Env = append(os.Environ(), nodeVariable+"="+string(text))
	n.cmd.Stderr = n.log
	// The process ends when its input does, which is when this one ends.
	if _, err = n.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.kill)
	lines := bufio.NewReader(out)
	line, readErr := lines.ReadString('\n')
	n.url = strings.TrimSpace(line)
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		_ = n.cmd.Wait()
		close(n.exited)
	}()
	if readErr != nil {
		<-n.exited
		t.Fatalf("the node did not start: %v\n%s", readErr, n.log)
	}
	return n
}

// kill ends the process as a power cut does, and waits until it is gone.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.exited
}

// terminate asks the process to stop.
func (n *node) terminate() {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Error(err)
	}
}

// wait waits until the process has ended by itself and returns its exit code.
func (n *node) wait() int {
	n.t.Helper()
	select {
	case <-n.exited:
	case <-time.After(patience):
		n.t.Fatalf("the node did not stop\n%s", n.log)
	}
	return n.cmd.ProcessState.ExitCode()
}

// ready waits until the node answers, and reports whether it does.
func (n *node) ready() bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		a, err := http.Get(n.url + "/readyz")
		if err == nil {
			_ = a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return true
			}
		}
		select {
		case <-n.exited:
			return false
		case <-tick.C:
		}
	}
}

// mustBeReady is ready for a node that nobody kills.
func (n *node) mustBeReady() *node {
	n.t.Helper()
	if !n.ready() {
		n.t.Fatalf("the node ended before it was ready\n%s", n.log)
	}
	return n
}

// complained is an error when the log of the process has an entry of its own
// faults.
func (n *node) complained() error {
	if text := n.log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "panic") {
		return errors.New(text)
	}
	return nil
}
