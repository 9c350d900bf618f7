package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// result is what a load came to.
type result struct {
	rate     float64
	p50, p99 time.Duration
}

// conn is the leanest client there can be, so that what is measured is the
// server: prepared bytes out, an answer of known length in.
type conn struct {
	net.Conn
	in *bufio.Reader
}

func dial(address string) (*conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

var contentLength = []byte("Content-Length: ")

// do sends a request and returns the status and, if keep is set, the body.
func (c *conn) do(request []byte, keep bool) (int, []byte, error) {
	if _, err := c.Write(request); err != nil {
		return 0, nil, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, errors.New("a short answer")
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, nil, err
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		if len(line) <= 2 {
			break
		}
		if rest, ok := bytes.CutPrefix(line, contentLength); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(rest))); err != nil {
				return 0, nil, err
			}
		}
	}
	if !keep {
		_, err = c.in.Discard(length)
		return status, nil, err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(c.in, body)
	return status, body, err
}

// request writes a request.
func request(method, path, key, idempotencyKey, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Token %s\r\n", method, path, key)
	if idempotencyKey != "" {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", idempotencyKey)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// load runs a closed loop of n clients for a while. next gives each client its
// requests; every answer must be a success.
func load(address string, n int, d time.Duration, next func(client, i int) []byte) (result, error) {
	return closedLoop(n, d, func(client int) (func(i int) error, func(), error) {
		c, err := dial(address)
		if err != nil {
			return nil, nil, err
		}
		step := func(i int) error {
			status, body, err := c.do(next(client, i), false)
			if err == nil && status >= 300 {
				err = fmt.Errorf("status %d %s", status, body)
			}
			return err
		}
		return step, func() { _ = c.Close() }, nil
	})
}

// closedLoop measures n workers that each do one step after the other.
func closedLoop(n int, d time.Duration, worker func(client int) (step func(i int) error, end func(), err error)) (result, error) {
	type part struct {
		times []time.Duration
		err   error
	}
	parts := make([]part, n)
	var wg sync.WaitGroup
	start := time.Now()
	for client := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p := &parts[client]
			step, end, err := worker(client)
			if err != nil {
				p.err = err
				return
			}
			defer end()
			for i := 0; time.Since(start) < d && p.err == nil; i++ {
				at := time.Now()
				p.err = step(i)
				p.times = append(p.times, time.Since(at))
			}
		}()
	}
	wg.Wait()
	took := time.Since(start)
	var all []time.Duration
	for _, p := range parts {
		if p.err != nil {
			return result{}, p.err
		}
		all = append(all, p.times...)
	}
	slices.Sort(all)
	return result{rate: float64(len(all)) / took.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100]}, nil
}

// measureNothing measures a handler that does nothing, in a process of its own
// like the program's.
func measureNothing(s settings) (map[int]result, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"ok"}`))
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	out := map[int]result{}
	r := request("POST", "/", "sk_test_nothing", "key", `{"amount":1}`)
	for _, n := range clients {
		if out[n], err = load(l.Addr().String(), n, s.seconds, func(int, int) []byte { return r }); err != nil {
			return nil, err
		}
	}
	return out, nil
}
