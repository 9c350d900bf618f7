package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"tradecredit/internal/db"
)

// LoggedRequest is what is kept of a request, so that a merchant can look it up
// by the Request-Id of its answer. Bodies are not kept.
type LoggedRequest struct {
	ID      string `json:"id" doc:"The Request-Id of the answer"`
	Method  string `json:"method"`
	Path    string `json:"path" doc:"Without the query string"`
	Status  int64  `json:"status" doc:"Status of the answer"`
	Created Time   `json:"created" doc:"Real time of the answer"`

	merchantID string
}

const (
	insertRequests db.SQL = `INSERT INTO request_log (merchant_id, id, method, path, status, created_at)
		SELECT u.m, u.i, u.v, u.p, u.s, u.c
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS u(m, i, v, p, s, c)`
	selectRequest db.SQL = `SELECT id, method, path, status, created_at FROM request_log WHERE merchant_id = $1 AND id = $2`
	purgeRequests db.SQL = `DELETE FROM request_log WHERE created_at < $1`
)

// RequestRetention is how long requests can be looked up.
const RequestRetention = 30 * 24 * time.Hour

// The log is written beside the answers, not before them: many requests in one
// transaction, a moment later. Under more load than the database takes, requests
// are left out of the log rather than slowed down.
const (
	logPause    = 500 * time.Millisecond
	logCapacity = 8192
	logBatch    = 1000
)

// RequestLog collects requests and writes them in batches.
type RequestLog struct {
	db      *db.DB
	waiting chan LoggedRequest
	stop    chan struct{}
	done    sync.WaitGroup
	failed  func(error)
}

// NewRequestLog starts a request log. failed is told of batches that could not be
// written. Close ends it.
func NewRequestLog(d *db.DB, failed func(error)) *RequestLog {
	l := &RequestLog{db: d, waiting: make(chan LoggedRequest, logCapacity), stop: make(chan struct{}), failed: failed}
	l.done.Add(1)
	go l.run()
	return l
}

func (l *RequestLog) add(r LoggedRequest) {
	select {
	case l.waiting <- r:
	default:
	}
}

func (l *RequestLog) run() {
	defer l.done.Done()
	ticker := time.NewTicker(logPause)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.flush()
		case <-l.stop:
			l.flush()
			return
		}
	}
}

// flush writes everything that waits.
func (l *RequestLog) flush() {
	for {
		var merchants, ids, methods, paths []string
		var statuses, created []int64
		for len(ids) < logBatch && len(l.waiting) > 0 {
			r := <-l.waiting
			merchants, ids, methods, paths = append(merchants, r.merchantID), append(ids, r.ID), append(methods, r.Method), append(paths, r.Path)
			statuses, created = append(statuses, r.Status), append(created, db.Micros(time.Time(r.Created)))
		}
		if len(ids) == 0 {
			return
		}
		err := l.db.Write(context.Background(), func(tx *db.Tx) error {
			tx.QueueMany(insertRequests, merchants, ids, methods, paths, statuses, created)
			return nil
		})
		if err != nil {
			l.failed(err)
			return
		}
	}
}

// Close writes what is left. No request may be served any more.
func (l *RequestLog) Close() {
	close(l.stop)
	l.done.Wait()
}

// logged keeps a request of a known merchant.
func (s *Server) logged(r *http.Request, requestID, merchantID string, status int) {
	if merchantID == "" || s.Requests == nil {
		return
	}
	path := r.URL.Path
	if len(path) > 300 {
		path = path[:300]
	}
	s.Requests.add(LoggedRequest{
		ID: requestID, Method: r.Method, Path: path, Status: int64(status), Created: Time(s.Clock.Now()), merchantID: merchantID,
	})
}

// PurgeRequests forgets requests older than RequestRetention.
func PurgeRequests(ctx context.Context, tx *db.Tx, now time.Time) (int64, error) {
	return tx.Exec(ctx, purgeRequests, db.Micros(now.Add(-RequestRetention)))
}

// RequestRoutes is the table of the request log.
func RequestRoutes() []Route {
	return []Route{{
		Method: http.MethodGet, Path: "/v1/requests/{request}", Tag: "Requests", Summary: "Look up a request",
		Doc:      "Finds a request by the Request-Id of its answer, for 30 days, beginning a moment after the answer.",
		Response: LoggedRequest{}, Status: 200, Errors: []int{404},
		Read: func(c *Call, tx *db.Tx) (*Response, error) {
			found, err := db.One(c, tx, selectRequest, []any{c.Merchant.ID, c.Path("request")}, func(r db.Rows) (l LoggedRequest, err error) {
				var created int64
				err = r.Scan(&l.ID, &l.Method, &l.Path, &l.Status, &created)
				l.Created = Time(db.Time(created))
				return l, err
			})
			if err != nil {
				return nil, err
			}
			return OK(found), nil
		},
	}}
}
