package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tradecredit/internal/db"
)

// node is the program in a process of its own.
type node struct {
	dir     string
	url     string
	address string
	key     string
	cmd     *exec.Cmd
}

// benchKey is the demo merchant's secret key.
const benchKey = "sk_test_bench_0123456789abcdefghijklmnop"

func startNode(s settings, dir, url string) (*node, error) {
	n := &node{dir: dir, url: url, key: benchKey}
	_, err := n.restart(s)
	return n, err
}

// restart starts the program and returns how long it took to be ready.
func (n *node) restart(s settings) (time.Duration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	n.address = l.Addr().String()
	if err := l.Close(); err != nil {
		return 0, err
	}
	n.cmd = exec.Command(s.program, "serve", "--data-dir", n.dir, "--listen", n.address, "--database-url", n.url,
		"--rate-secret", "10000000", "--rate-burst", "10000000")
	n.cmd.Env = append(os.Environ(), "TRADECREDIT_SANDBOX_SECRET_KEY="+n.key)
	n.cmd.Stderr = os.Stderr
	start := time.Now()
	if err := n.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(start) < time.Minute {
		if c, err := dial(n.address); err == nil {
			status, _, err := c.do(request("GET", "/readyz", n.key, "", ""), false)
			_ = c.Close()
			if err == nil && status == 200 {
				return time.Since(start), nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return 0, fmt.Errorf("the program is not ready")
}

// stop ends the program by its process id.
func (n *node) stop() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	_ = n.cmd.Wait()
	n.cmd = nil
}

// memory is the resident memory of the program, in bytes.
func (n *node) memory() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

func (n *node) options() db.Options {
	if n.url != "" {
		return db.Options{URL: n.url, MaxConns: 40}
	}
	return db.Options{File: filepath.Join(n.dir, "tradecredit.db")}
}

// material is what the loads work on.
type material struct {
	key      string
	run      string
	payments []string
	order    string
}

// prepare buys on credit until there are enough deferred payments.
func prepare(n *node, payments int) (*material, error) {
	c, err := dial(n.address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	call := func(method, path, body string) (map[string]any, error) {
		status, answer, err := c.do(request(method, path, n.key, "", body), true)
		if err != nil {
			return nil, err
		}
		var out map[string]any
		if err := json.Unmarshal(answer, &out); err != nil || status >= 300 {
			return nil, fmt.Errorf("%s %s: %d %s", method, path, status, answer)
		}
		return out, nil
	}
	m := &material{key: n.key, run: fmt.Sprint(time.Now().UnixNano())}
	found, err := call("POST", "/v1/companies/search", `{"country":"GB","reg_number":"11215527"}`)
	if err != nil {
		return nil, err
	}
	company := found["matches"].([]any)[0].(map[string]any)["id"]
	org, err := call("POST", "/v1/organisations", fmt.Sprintf(`{"unique_id":"bench","registered":"2020-01-01","company":%q}`, company))
	if err != nil {
		return nil, err
	}
	user, err := call("POST", "/v1/users", fmt.Sprintf(`{"name":"B","email":"b+paymentplan_offered_dp_fraud_accepted@bench.example","registered":"2020-01-01","organisations":[{"id":%q,"role":"admin"}]}`, org["id"]))
	if err != nil {
		return nil, err
	}
	for i := range payments {
		if err := m.buy(call, org["id"], user["id"], i); err != nil {
			return nil, err
		}
	}
	return m, nil
}

type caller func(method, path, body string) (map[string]any, error)

// buy makes one deferred payment that is large enough for any load.
func (m *material) buy(call caller, org, user any, i int) error {
	const address = `{"name":"B","address_line1":"1 Bench Street","city":"London","postcode":"E1 1AA","country":"GB"}`
	const total = 1_000_000_000
	o, err := call("POST", "/v1/payment/orders", fmt.Sprintf(`{"unique_id":"%s-%d","customer":{"type":"registered","organisation":%q,"user":%q,"delivery_address":%s,"invoice_address":%s},
		"status":"draft","currency":"GBP","total_amount":%d,"tax_amount":0,"order_date":"2026-01-01","items":[{"item_id":"1","type":"product","description":"Things","quantity":"1","unit_price":%d,"tax_rate":"0.00","total_amount":%d,"tax_amount":0}]}`,
		m.run, i, org, user, address, address, total, total, total))
	if err != nil {
		return err
	}
	m.order = o["id"].(string)
	offer, err := call("POST", "/v1/payment/offers", fmt.Sprintf(`{"order":%q,"urls":{"success":"","failure":"","cancel":"","notification":"","merchant_terms":""}}`, o["id"]))
	if err != nil {
		return err
	}
	plan := offer["offered_payment_plans"].([]any)[0].(map[string]any)["id"]
	p, err := call("POST", fmt.Sprintf("/v1/sandbox/payment_plans/%s/accept", plan), `{"payment_method":"invoice"}`)
	if err != nil {
		return err
	}
	m.payments = append(m.payments, p["id"].(string))
	return nil
}

// captures is a load of captures, each with a key of its own: over all payments
// or on one.
func (m *material) captures(spread bool) func(client, i int) []byte {
	start := time.Now().UnixNano()
	return func(client, i int) []byte {
		payment := m.payments[0]
		if spread {
			payment = m.payments[(client*7919+i)%len(m.payments)]
		}
		return request("POST", "/v1/payment/deferred_payments/"+payment+"/capture", m.key,
			fmt.Sprintf("%d-%d-%d", start, client, i), `{"amount":1,"metadata":{"shipment":"1"}}`)
	}
}

func measureReads(n *node, s settings, m *material) (map[string]result, error) {
	one := request("GET", "/v1/payment/orders/"+m.order, m.key, "", "")
	list := request("GET", "/v1/payment/orders", m.key, "", "")
	out := map[string]result{}
	for label, r := range map[string][]byte{"one object by id, 8 clients": one, "a list of 25 orders, 8 clients": list} {
		var err error
		if out[label], err = load(n.address, 8, s.seconds, func(int, int) []byte { return r }); err != nil {
			return nil, err
		}
	}
	return out, nil
}
