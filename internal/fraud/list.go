package fraud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/secret"
)

// Entry is an identifier on a list.
type Entry struct {
	// Merchant is empty for all merchants.
	Merchant string `json:"merchant"`
	List     string `json:"list"`
	Of       string `json:"of"`
	// Value is what may be shown of it: all of a company or a domain, a part of an
	// address or a phone number.
	Value   string    `json:"value"`
	Note    string    `json:"note"`
	AddedAt time.Time `json:"added_at"`
}

// ListKinds lists the kinds of identifiers that can stand on lists.
func ListKinds() []string { return []string{OfCompany, OfDomain, OfEmail, OfPhone} }

// listable makes the identifier of an entry. Phone numbers must be international.
func listable(key secret.Key, of, value string) (Identifier, error) {
	if !slices.Contains(ListKinds(), of) {
		return Identifier{}, fmt.Errorf("%q is none of %s", of, strings.Join(ListKinds(), ", "))
	}
	if of == OfPhone && !international(value) {
		return Identifier{}, fmt.Errorf("a phone number on a list begins with + and the code of its country")
	}
	i, ok := Hash(key, of, value, "")
	if !ok {
		return i, fmt.Errorf("%q is no %s", value, of)
	}
	return i, nil
}

// Put puts an identifier on a list, and takes it off the list it was on before. An
// empty Merchant is for all. The error says what is wrong with the entry.
func Put(tx *db.Tx, key secret.Key, e Entry) error {
	if !slices.Contains(Lists(), e.List) {
		return fmt.Errorf("%q is none of %s", e.List, strings.Join(Lists(), ", "))
	}
	if len(e.Note) > 1000 {
		return fmt.Errorf("the note is longer than 1000 bytes")
	}
	i, err := listable(key, e.Of, e.Value)
	if err == nil {
		tx.Queue(upsertListed, e.Merchant, i.Of, i.Hash, e.List, Masked(e.Of, e.Value), e.Note, db.Micros(e.AddedAt))
	}
	return err
}

// Remove takes an identifier off its list and tells whether it was on one.
func Remove(ctx context.Context, tx *db.Tx, key secret.Key, merchantID, of, value string) (bool, error) {
	i, err := listable(key, of, value)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, deleteListed, merchantID, i.Of, i.Hash)
	return n > 0, err
}

// Entries lists what stands on the lists of a merchant, or on those of all, the
// oldest first.
func Entries(ctx context.Context, tx *db.Tx, merchantID string, limit int) ([]Entry, error) {
	return db.All(ctx, tx, listListed, []any{merchantID, 0, limit}, func(r db.Rows) (e Entry, err error) {
		var at int64
		err = r.Scan(&e.Merchant, &e.Of, &e.List, &e.Value, &e.Note, &at)
		e.AddedAt = db.Time(at)
		return e, err
	})
}

// Masked is what may be shown of an identifier.
func Masked(of, value string) string {
	value = strings.TrimSpace(value)
	switch of {
	case OfEmail:
		key := emailKey(value)
		return key[:min(1, len(key))] + "…@" + domain(value)
	case OfPhone:
		digits := phoneKey(value, "")
		return "…" + digits[max(0, len(digits)-3):]
	case OfDomain:
		return domain(value)
	}
	return value
}

// queueListed looks for the lists that the buyer stands on, of the merchant and of
// all, with what is queued.
func queueListed(tx *db.Tx, merchantID string, all []Identifier, in *Inputs) {
	var merchants, kinds, hashes []string
	for _, i := range all {
		if slices.Contains(ListKinds(), i.Of) {
			merchants, kinds, hashes = append(merchants, merchantID, ""), append(kinds, i.Of, i.Of), append(hashes, i.Hash, i.Hash)
		}
	}
	for _, args := range tx.Split(merchants, kinds, hashes) {
		tx.QueueQuery(findListed, func(r db.Rows) error {
			for r.Next() {
				var l Listed
				if err := r.Scan(&l.Of, &l.List); err != nil {
					return err
				}
				if !slices.Contains(in.Listed, l) {
					in.Listed = append(in.Listed, l)
				}
			}
			return nil
		}, args...)
	}
}
