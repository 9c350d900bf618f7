package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tradecredit": main})
}

// TestCommands runs the scripts of testdata: what somebody types, and what the
// program prints.
func TestCommands(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": runServer,
			"owe":    owe,
			"get":    get,
			"search": search,
		},
	})
}

var addressLine = regexp.MustCompile(`^Tradecredit \(\w+\) on (http://\S+)$`)

// runServer starts `tradecredit serve` on a free port with more arguments and sets
// URL once it serves. When the script ends it is asked to stop, and must exit
// well.
func runServer(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath("tradecredit")
	ts.Check(err)
	cmd := exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir, cmd.Stderr = ts.Getenv("WORK"), os.Stderr
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
		ts.Check(cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	ts.Check(err)
	m := addressLine.FindStringSubmatch(line[:len(line)-1])
	if m == nil {
		ts.Fatalf("the first line is %q", line)
	}
	ts.Setenv("URL", m[1])
}

// get KEYS PATH prints the answer to a GET with the secret key of a file.
func get(ts *testscript.TestScript, neg bool, args []string) {
	var keys struct {
		SecretKey string `json:"secret_key"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &keys))
	r, err := http.NewRequest(http.MethodGet, ts.Getenv("URL")+args[1], nil)
	ts.Check(err)
	r.Header.Set("Authorization", "Token "+keys.SecretKey)
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	if (answer.StatusCode == http.StatusOK) == neg {
		ts.Check(errors.New(answer.Status))
	}
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// search COUNTRY NAME prints the companies that anybody finds.
func search(ts *testscript.TestScript, _ bool, args []string) {
	body, err := json.Marshal(map[string]string{"country": args[0], "name": args[1]})
	ts.Check(err)
	answer, err := http.Post(ts.Getenv("URL")+"/v1/companies/search", "application/json", bytes.NewReader(body))
	ts.Check(err)
	defer answer.Body.Close()
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
