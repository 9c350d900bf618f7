package mail

import (
	"encoding/json"

	"tradecredit/internal/db"
)

const (
	insertMail  db.SQL = `INSERT INTO emails (merchant_id, id, body, created_at) VALUES ($1, $2, $3, $4)`
	selectMails db.SQL = `SELECT id, body, created_at FROM emails WHERE merchant_id = $1
		ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	countMails db.SQL = `SELECT count(*) FROM emails WHERE merchant_id = $1`
)

func scanMail(r db.Rows) (Sent, error) {
	var s Sent
	var body string
	var created int64
	if err := r.Scan(&s.ID, &body, &created); err != nil {
		return s, err
	}
	s.Created = db.Time(created)
	return s, json.Unmarshal([]byte(body), &s.Mail)
}
