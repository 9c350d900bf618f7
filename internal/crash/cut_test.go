package crash

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// TestConnectionLostAtTheCommit loses the connection to the database between a
// commit and the news of it, again and again. A capture with a key is found to
// have happened; one without must not be made again behind the client's back.
func TestConnectionLostAtTheCommit(t *testing.T) {
	t.Parallel()
	o := dbtest.Postgres(t)
	d := open(t, o)
	p := newProxy(t, o)
	s := newShop(t, newClient(serve(t, open(t, db.Options{URL: p.url, MaxConns: 8})), stock(t, d).SecretKey))
	payment := s.payment(t, "cut", 1_000_000)
	lost := 0
	for round := range 10 * soak() {
		statuses := make([]int, 16)
		p.cut.Store(1)
		together(len(statuses), func(i int) {
			key := ""
			if i%2 == 0 {
				key = name(round, i)
			}
			statuses[i] = s.post(t, actionPath(payment, "capture"), key, object{"amount": 100, "metadata": name(round, i)}).status
		})
		made := map[string]int{}
		for _, e := range s.view(t, payment).Events {
			made[string(e.Metadata)]++
		}
		for i, status := range statuses {
			switch n := made[fmt.Sprintf("%q", name(round, i))]; {
			case status == http.StatusCreated && n == 1:
			case status == http.StatusInternalServerError && n <= 1 && i%2 == 1:
				lost++
			default:
				t.Errorf("a capture (with a key: %v) was answered %d and made %d events", i%2 == 0, status, n)
			}
		}
	}
	if p.cuts.Load() == 0 || lost == 0 {
		t.Errorf("%d connections were lost, and with them the outcome of %d captures", p.cuts.Load(), lost)
	}
	p.cut.Store(0)
	verify(t, d)
}

// name tells a capture from every other; an odd one has no key.
func name(round, i int) string {
	if i%2 == 1 {
		return fmt.Sprintf("%s %d/%d", unkeyed, round, i)
	}
	return fmt.Sprintf("%d/%d", round, i)
}

// unkeyed stands in the metadata of captures without a key. The proxy looks for
// it: the program's own work commits too, and losing that would prove nothing.
const unkeyed = "capture without a key"

// proxy stands between the program and PostgreSQL and can lose a connection at
// the moment in which the server says that a transaction with a capture without
// a key is committed.
type proxy struct {
	url string
	// cut is how many of the next such commits are lost, cuts how many were.
	cut, cuts atomic.Int64
}

// lookout passes bytes on and remembers whether the text was among them.
type lookout struct {
	to   io.Writer
	text []byte
	// seen is whether the text passed since it was last set to false.
	seen atomic.Bool
	// tail is the end of what passed, in which the text may have begun.
	tail []byte
}

func (w *lookout) Write(p []byte) (int, error) {
	w.tail = append(w.tail, p...)
	if bytes.Contains(w.tail, w.text) {
		w.seen.Store(true)
		w.tail = w.tail[:0]
	}
	w.tail = append([]byte(nil), w.tail[max(0, len(w.tail)-len(w.text)+1):]...)
	return w.to.Write(p)
}

func newProxy(t *testing.T, o db.Options) *proxy {
	t.Helper()
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{}
	address := url.URL{
		Scheme: "postgres", Host: l.Addr().String(), Path: "/" + config.Database, RawQuery: "sslmode=disable",
		User: url.UserPassword(config.User, config.Password),
	}
	p.url = address.String()
	network, server := pgconn.NetworkAddress(config.Host, config.Port)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(in, network, server)
		}
	}()
	return p
}

// carry passes everything on between a client and the server.
func (p *proxy) carry(in net.Conn, network, server string) {
	defer in.Close()
	out, err := (&net.Dialer{}).DialContext(context.Background(), network, server)
	if err != nil {
		return
	}
	defer out.Close()
	asked := &lookout{to: out, text: []byte(unkeyed)}
	go func() {
		_, _ = io.Copy(asked, in)
		_ = out.Close()
	}()
	answers := bufio.NewReader(out)
	for {
		// Every message of the server is a letter, its length with these four bytes,
		// and its content.
		head := make([]byte, 5)
		if _, err := io.ReadFull(answers, head); err != nil {
			return
		}
		content := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(answers, content); err != nil {
			return
		}
		if head[0] == 'C' && bytes.HasPrefix(content, []byte("COMMIT")) && asked.seen.Swap(false) && p.take() {
			return
		}
		if _, err := in.Write(append(head, content...)); err != nil {
			return
		}
	}
}

// take reports whether this commit is to be lost.
func (p *proxy) take() bool {
	if n := p.cut.Load(); n == 0 || !p.cut.CompareAndSwap(n, n-1) {
		return false
	}
	p.cuts.Add(1)
	return true
}
