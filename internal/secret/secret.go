// Package secret keeps random secrets in the database, so that every node signs
// and recognises the same links.
package secret

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
)

const (
	insertSecret db.SQL = `INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`
	selectSecret db.SQL = `SELECT value FROM secrets WHERE name = $1`
)

// Ensure returns the secret of a name and makes it on first use.
func Ensure(ctx context.Context, d *db.DB, name string) (Key, error) {
	var value string
	err := d.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, insertSecret, name, id.Secret(43)); err != nil {
			return err
		}
		return tx.Get(ctx, selectSecret, []any{name}, &value)
	})
	return Key(value), err
}

// Key signs short texts.
type Key string

// Sign returns what stands behind ?key= in a link to the object of this name:
// 256 bits that nobody can guess, and that need not be stored.
func (k Key) Sign(name string) string {
	m := hmac.New(sha256.New, []byte(k))
	m.Write([]byte(name))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Check tells whether signature is that of name, in constant time.
func (k Key) Check(name, signature string) bool {
	return hmac.Equal([]byte(k.Sign(name)), []byte(signature))
}
