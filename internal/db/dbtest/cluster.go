package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNoServer is the one reason for which tests on PostgreSQL may be skipped.
var errNoServer = errors.New("no PostgreSQL server is installed and TEST_POSTGRES_URL is not set")

// Cluster is a PostgreSQL server that lives as long as this process. It listens
// on a socket in its own directory only.
type Cluster struct {
	dir string
	bin string
	url string
	cmd *exec.Cmd
}

// careless are settings that do not wait for the disk: a cluster for tests is
// thrown away, and what the tests kill is the program, not the server.
var careless = []string{"fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=64MB", "max_wal_size=256MB"}

// StartCluster makes a cluster with these settings beside its defaults. Stop ends
// it and removes its files.
func StartCluster(settings ...string) (*Cluster, error) {
	bin, err := serverBinaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tcpg")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin}
	cred, err := c.credential()
	if err != nil {
		c.Stop()
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+filepath.Join(dir, "data"),
		"--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	if out, err := initdb.CombinedOutput(); err != nil {
		c.Stop()
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	args := []string{"-D", filepath.Join(dir, "data"), "-k", dir, "-h", "", "-c", "max_connections=300"}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	c.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	c.cmd.Dir = dir
	c.cmd.SysProcAttr = endsWithParent(cred)
	if err := startKept(c.cmd); err != nil {
		c.Stop()
		return nil, err
	}
	c.url = "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	if err := c.wait(); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// startKept starts a command from a thread that never ends: the signal of a
// dead parent is sent when the starting thread goes away.
func startKept(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		select {}
	}()
	return <-started
}

// credential is the account to run as: PostgreSQL refuses to run as root.
func (c *Cluster) credential() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(c.dir, uid, gid)
}

func (c *Cluster) wait() error {
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		var conn *pgx.Conn
		if conn, err = pgx.Connect(ctx, c.url); err == nil {
			err = conn.Close(ctx)
			cancel()
			return err
		}
		cancel()
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the server does not answer: %w", err)
}

// URL is the address of the cluster's postgres database.
func (c *Cluster) URL() string { return c.url }

// Dir is the directory of the cluster's socket.
func (c *Cluster) Dir() string { return c.dir }

// Bin is the directory of the server's programs, such as pgbench.
func (c *Cluster) Bin() string { return c.bin }

// Stop ends the server at once and removes its files.
func (c *Cluster) Stop() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Signal(syscall.SIGQUIT)
		_, _ = c.cmd.Process.Wait()
	}
	_ = os.RemoveAll(c.dir)
}

func serverBinaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	return "", errNoServer
}
