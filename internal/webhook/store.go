package webhook

import (
	"context"
	"encoding/json"
	"strings"

	"tradecredit/internal/db"
)

const (
	insertEndpoint db.SQL = `INSERT INTO webhook_endpoints
		(merchant_id, id, url, auth_header, events, active, secret, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	updateEndpoint db.SQL = `UPDATE webhook_endpoints SET url = $3, auth_header = $4, events = $5, active = $6
		WHERE merchant_id = $1 AND id = $2`
	deleteEndpoint db.SQL = `DELETE FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2`
	selectEndpoint db.SQL = `SELECT merchant_id, id, url, auth_header, events, active, created_at
		FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2`
	lockEndpoint db.SQL = `SELECT merchant_id, id, url, auth_header, events, active, created_at
		FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	selectEndpoints db.SQL = `SELECT merchant_id, id, url, auth_header, events, active, created_at
		FROM webhook_endpoints WHERE merchant_id = $1 ORDER BY n DESC LIMIT $2 OFFSET $3`
	selectActive db.SQL = `SELECT merchant_id, id, url, auth_header, events, active, created_at
		FROM webhook_endpoints WHERE merchant_id = $1 AND active ORDER BY n`
	countEndpoints     db.SQL = `SELECT count(*) FROM webhook_endpoints WHERE merchant_id = $1`
	selectEndpointKeys db.SQL = `SELECT secret, previous_secret, previous_until
		FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2`
	updateEndpointKeys db.SQL = `UPDATE webhook_endpoints SET secret = $3, previous_secret = $4, previous_until = $5
		WHERE merchant_id = $1 AND id = $2`

	ensureMerchantKeys db.SQL = `INSERT INTO webhook_secrets (merchant_id, secret) VALUES ($1, $2)
		ON CONFLICT (merchant_id) DO NOTHING`
	selectMerchantKeys db.SQL = `SELECT secret, previous_secret, previous_until FROM webhook_secrets WHERE merchant_id = $1`
	lockMerchantKeys   db.SQL = `SELECT secret, previous_secret, previous_until FROM webhook_secrets
		WHERE merchant_id = $1 FOR UPDATE`
	updateMerchantKeys db.SQL = `UPDATE webhook_secrets SET secret = $2, previous_secret = $3, previous_until = $4
		WHERE merchant_id = $1`

	insertDeliveries db.SQL = `INSERT INTO webhook_deliveries (merchant_id, id, event_id, event_type, object_id, root_id,
		sequence, target, endpoint_id, url, request_body, status, attempts, tries, job_id, created_at)
		SELECT u.m, u.i, u.e, u.t, u.o, u.r, u.s, u.k, u.w, u.l, u.b, 'pending', '[]', 0, u.j, u.c
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
			$9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[]) AS u(m, i, e, t, o, r, s, k, w, l, b, j, c)`
	selectDelivery db.SQL = `SELECT merchant_id, id, event_id, event_type, object_id, root_id, sequence, endpoint_id, url,
		request_body, status, attempts, tries, job_id, created_at
		FROM webhook_deliveries WHERE merchant_id = $1 AND id = $2`
	lockDelivery db.SQL = `SELECT merchant_id, id, event_id, event_type, object_id, root_id, sequence, endpoint_id, url,
		request_body, status, attempts, tries, job_id, created_at
		FROM webhook_deliveries WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	selectDeliveries db.SQL = `SELECT merchant_id, id, event_id, event_type, object_id, root_id, sequence, endpoint_id, url,
		request_body, status, attempts, tries, job_id, created_at
		FROM webhook_deliveries WHERE merchant_id = $1 ORDER BY n DESC LIMIT $2 OFFSET $3`
	countDeliveries db.SQL = `SELECT count(*) FROM webhook_deliveries WHERE merchant_id = $1`
	selectOfEvent   db.SQL = `SELECT id FROM webhook_deliveries WHERE merchant_id = $1 AND event_id = $2 LIMIT 1`
	updateDelivery  db.SQL = `UPDATE webhook_deliveries SET url = $3, status = $4, attempts = $5, tries = $6, job_id = $7
		WHERE merchant_id = $1 AND id = $2`
)

func scanEndpoint(r db.Rows) (Endpoint, error) {
	var e Endpoint
	var events string
	var created int64
	err := r.Scan(&e.MerchantID, &e.ID, &e.URL, &e.Authorization, &events, &e.Active, &created)
	// A filter never holds a space.
	e.Events, e.Created = strings.Fields(events), db.Time(created)
	return e, err
}

func scanKeys(r db.Rows) (keys, error) {
	var k keys
	var until int64
	err := r.Scan(&k.secret, &k.previous, &until)
	k.until = db.Time(until)
	return k, err
}

func scanDelivery(r db.Rows) (Delivery, error) {
	var d Delivery
	var body, attempts string
	var created int64
	err := r.Scan(&d.MerchantID, &d.ID, &d.EventID, &d.EventType, &d.ObjectID, &d.RootID, &d.Sequence, &d.EndpointID,
		&d.URL, &body, &d.Status, &attempts, &d.tries, &d.jobID, &created)
	if err != nil {
		return d, err
	}
	d.RequestBody, d.Created = []byte(body), db.Time(created)
	return d, json.Unmarshal([]byte(attempts), &d.Attempts)
}

func addEndpoint(tx *db.Tx, e NewEndpoint) {
	tx.Queue(insertEndpoint, e.MerchantID, e.ID, e.URL, e.Authorization, strings.Join(e.Events, " "), e.Active,
		e.Secret, db.Micros(e.Created))
}

func saveEndpoint(tx *db.Tx, e Endpoint) {
	tx.Queue(updateEndpoint, e.MerchantID, e.ID, e.URL, e.Authorization, strings.Join(e.Events, " "), e.Active)
}

func activeEndpoints(ctx context.Context, tx *db.Tx, merchantID string) ([]Endpoint, error) {
	return db.All(ctx, tx, selectActive, []any{merchantID}, scanEndpoint)
}

func saveDelivery(tx *db.Tx, d Delivery) error {
	attempts, err := json.Marshal(d.Attempts)
	if err != nil {
		return err
	}
	tx.Queue(updateDelivery, d.MerchantID, d.ID, d.URL, string(d.Status), string(attempts), d.tries, d.jobID)
	return nil
}

// rows collects new deliveries for one insert.
type rows struct {
	merchants, ids, events, types, objects, roots []string
	targets, urls, bodies, jobs                   []string
	endpoints                                     []*string
	sequences, created                            []int64
}

func (r *rows) add(d Delivery, targetKey string) {
	r.merchants, r.ids = append(r.merchants, d.MerchantID), append(r.ids, d.ID)
	r.events, r.types = append(r.events, d.EventID), append(r.types, d.EventType)
	r.objects, r.roots = append(r.objects, d.ObjectID), append(r.roots, d.RootID)
	r.sequences, r.targets = append(r.sequences, d.Sequence), append(r.targets, targetKey)
	r.endpoints, r.urls = append(r.endpoints, d.EndpointID), append(r.urls, d.URL)
	r.bodies, r.jobs = append(r.bodies, string(d.RequestBody)), append(r.jobs, d.jobID)
	r.created = append(r.created, db.Micros(d.Created))
}

func (r *rows) insert(tx *db.Tx) {
	tx.QueueMany(insertDeliveries, r.merchants, r.ids, r.events, r.types, r.objects, r.roots, r.sequences, r.targets,
		r.endpoints, r.urls, r.bodies, r.jobs, r.created)
}
