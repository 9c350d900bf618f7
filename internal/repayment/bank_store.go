package repayment

import (
	"context"
	"slices"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
)

const (
	insertBankEntry db.SQL = `INSERT INTO bank_entries (id, account, entry_key, credit, currency, amount, open, booked_on,
		holder, iban, bic, sort_code, account_number, text, end_to_end_id, bank_reference, status, note, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (account, entry_key) DO NOTHING`
	updateBankEntry db.SQL = `UPDATE bank_entries SET open = $2, status = $3, note = $4 WHERE id = $1`
	entryColumns           = `id, account, entry_key, credit, currency, amount, open, booked_on,
		holder, iban, bic, sort_code, account_number, text, end_to_end_id, bank_reference, status, note, created_at`
	selectBankEntry db.SQL = `SELECT ` + entryColumns + ` FROM bank_entries WHERE id = $1`
	lockBankEntry   db.SQL = `SELECT ` + entryColumns + ` FROM bank_entries WHERE id = $1 FOR UPDATE`
	openBankEntries db.SQL = `SELECT ` + entryColumns + ` FROM bank_entries
		WHERE status IN ('unmatched', 'refunding') AND id > $1 ORDER BY id LIMIT $2`
	openBankTotals db.SQL = `SELECT currency, CAST(SUM(CASE WHEN status = 'refunding' THEN 0 WHEN credit THEN open ELSE -open END) AS BIGINT)
		FROM bank_entries WHERE status IN ('unmatched', 'refunding') GROUP BY currency`
	knownEntries db.SQL = `SELECT e.account, e.entry_key FROM unnest($1::text[], $2::text[]) AS u(a, k)
		JOIN bank_entries e ON e.account = u.a AND e.entry_key = u.k`
	insertAllocation db.SQL = `INSERT INTO bank_allocations (entry_id, n, kind, merchant_id, object_id, amount)
		SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5 FROM bank_allocations WHERE entry_id = $1`
	insertPayerKeys db.SQL = `INSERT INTO payer_keys (payer, merchant_id, organisation_id)
		SELECT u.k, u.m, u.o FROM unnest($1::text[], $2::text[], $3::text[]) AS u(k, m, o) WHERE TRUE
		ON CONFLICT (payer, merchant_id, organisation_id) DO NOTHING`
	debtsNamed db.SQL = `SELECT d.number, d.merchant_id, d.id FROM unnest($1::text[]) AS u(n)
		JOIN deferred_payments d ON d.number = u.n`
	debtsOfPayers db.SQL = `SELECT k.payer, s.merchant_id, s.deferred_payment_id FROM unnest($1::text[]) AS u(k)
		JOIN payer_keys k ON k.payer = u.k
		JOIN repayment_states s ON s.merchant_id = k.merchant_id AND s.organisation_id = k.organisation_id AND s.status IN ('open', 'late')`
)

func insertEntry(ctx context.Context, tx *db.Tx, e Entry) (bool, error) {
	n, err := tx.Exec(ctx, insertBankEntry, e.ID, e.Account, e.Key, e.Credit, e.Currency, e.Amount, e.Open, e.Booked,
		e.Payer.Name, e.Payer.IBAN, e.Payer.BIC, e.Payer.SortCode, e.Payer.AccountNumber, e.Text, e.EndToEndID, e.BankReference,
		e.Status, e.Note, db.Micros(e.Created))
	return n > 0, err
}

func updateEntry(tx *db.Tx, e Entry) { tx.Queue(updateBankEntry, e.ID, e.Open, e.Status, e.Note) }

func scanEntry(r db.Rows) (Entry, error) {
	var e Entry
	var created int64
	err := r.Scan(&e.ID, &e.Account, &e.Key, &e.Credit, &e.Currency, &e.Amount, &e.Open, &e.Booked,
		&e.Payer.Name, &e.Payer.IBAN, &e.Payer.BIC, &e.Payer.SortCode, &e.Payer.AccountNumber, &e.Text, &e.EndToEndID, &e.BankReference,
		&e.Status, &e.Note, &created)
	e.Created = db.Time(created)
	return e, err
}

// GetEntry returns a bank entry, or db.ErrNoRows.
func GetEntry(ctx context.Context, tx *db.Tx, entryID string) (Entry, error) {
	return db.One(ctx, tx, selectBankEntry, []any{entryID}, scanEntry)
}

// OpenEntries returns up to limit bank entries whose purpose nobody knows, or
// that are being sent back, after one of them.
func OpenEntries(ctx context.Context, tx *db.Tx, after string, limit int) ([]Entry, error) {
	return db.All(ctx, tx, openBankEntries, []any{after, limit}, scanEntry)
}

// OpenTotals is what the account "unmatched" must have in the books, by currency.
func OpenTotals(ctx context.Context, tx *db.Tx) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := db.All(ctx, tx, openBankTotals, nil, func(r db.Rows) (struct{}, error) {
		var currency string
		var sum int64
		err := r.Scan(&currency, &sum)
		out[currency] = sum
		return struct{}{}, err
	})
	return out, err
}

func allocated(tx *db.Tx, entryID, kind, merchantID, objectID string, amount int64) {
	tx.Queue(insertAllocation, entryID, kind, merchantID, objectID, amount)
}

// remember notes that money of payers with these keys is an organisation's.
func remember(tx *db.Tx, merchantID, organisationID string, keys []string) {
	merchants, organisations := make([]string, len(keys)), make([]string, len(keys))
	for i := range keys {
		merchants[i], organisations[i] = merchantID, organisationID
	}
	if len(keys) > 0 {
		tx.QueueMany(insertPayerKeys, keys, merchants, organisations)
	}
}

// know remembers by which name a buyer's transfers will come.
func (s *Service) know(ctx context.Context, tx *db.Tx, p deferred.Payment) error {
	b, err := s.Deferred.Customer(ctx, tx, p.MerchantID, p.OrganisationID, "")
	if err != nil {
		return err
	}
	remember(tx, p.MerchantID, p.OrganisationID, PayerKeys(bankfile.Account{Name: b.Name}))
	return nil
}

// findings are what is known of a number of items before they are booked.
type findings struct {
	known  []bool
	debts  [][]Debt
	orders []*BankOrder
}

// reference names a deferred payment.
type reference struct{ merchantID, paymentID string }

// find looks up what items may be for, all of them at once.
func (s *Service) find(ctx context.Context, tx *db.Tx, items []Item) (findings, error) {
	out := findings{known: make([]bool, len(items)), debts: make([][]Debt, len(items)), orders: make([]*BankOrder, len(items))}
	if err := out.findKnown(ctx, tx, items); err != nil {
		return out, err
	}
	var numbers, payers, orders []string
	for i, item := range items {
		if out.known[i] {
			continue
		}
		orders = append(orders, item.EndToEndID)
		if item.Credit {
			numbers = append(numbers, NumbersIn(item.Text+" "+item.EndToEndID)...)
			payers = append(payers, PayerKeys(item.Payer)...)
		}
	}
	named, err := grouped(ctx, tx, debtsNamed, numbers)
	if err != nil {
		return out, err
	}
	ofPayers, err := grouped(ctx, tx, debtsOfPayers, payers)
	if err != nil {
		return out, err
	}
	ordered, err := bankOrders(ctx, tx, orders)
	if err != nil {
		return out, err
	}
	debts := map[reference]Debt{}
	for i, item := range items {
		if o, ok := ordered[item.EndToEndID]; ok && item.EndToEndID != "" {
			out.orders[i] = &o
		}
		if !item.Credit || out.known[i] {
			continue
		}
		if out.debts[i], err = debtsFor(ctx, tx, item, named, ofPayers, debts); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (f *findings) findKnown(ctx context.Context, tx *db.Tx, items []Item) error {
	accounts, keys := make([]string, len(items)), make([]string, len(items))
	for i, item := range items {
		accounts[i], keys[i] = item.Account, item.Key
	}
	known := map[[2]string]bool{}
	for _, args := range tx.Split(accounts, keys) {
		found, err := db.All(ctx, tx, knownEntries, args, func(r db.Rows) (k [2]string, err error) {
			return k, r.Scan(&k[0], &k[1])
		})
		if err != nil {
			return err
		}
		for _, k := range found {
			known[k] = true
		}
	}
	for i, item := range items {
		f.known[i] = known[[2]string{item.Account, item.Key}]
	}
	return nil
}

// grouped reads the deferred payments that keys lead to.
func grouped(ctx context.Context, tx *db.Tx, q db.SQL, keys []string) (map[string][]reference, error) {
	out := map[string][]reference{}
	slices.Sort(keys)
	for _, args := range tx.Split(slices.Compact(keys)) {
		_, err := db.All(ctx, tx, q, args, func(r db.Rows) (struct{}, error) {
			var key string
			var of reference
			err := r.Scan(&key, &of.merchantID, &of.paymentID)
			out[key] = append(out[key], of)
			return struct{}{}, err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mostDebts bounds how many debts of one payer are looked at.
const mostDebts = 50

// debtsFor are the debts that an item may be for. seen keeps those that were read
// for others.
func debtsFor(ctx context.Context, tx *db.Tx, item Item, named, payers map[string][]reference, seen map[reference]Debt) ([]Debt, error) {
	var out []Debt
	add := func(of reference, isNamed bool) error {
		if i := slices.IndexFunc(out, func(d Debt) bool { return d.PaymentID == of.paymentID && d.MerchantID == of.merchantID }); i >= 0 {
			out[i].Known = out[i].Known || !isNamed
			return nil
		}
		d, ok := seen[of]
		if !ok {
			p, err := deferred.Get(ctx, tx, of.merchantID, of.paymentID)
			if err != nil {
				return err
			}
			d = debtOf(p)
			seen[of] = d
		}
		d.Named, d.Known = isNamed, !isNamed
		out = append(out, d)
		return nil
	}
	for _, number := range NumbersIn(item.Text + " " + item.EndToEndID) {
		for _, of := range named[number] {
			if err := add(of, true); err != nil {
				return nil, err
			}
		}
	}
	if slices.ContainsFunc(out, func(d Debt) bool { return d.Named }) && len(out) == 1 {
		return out, nil
	}
	for _, key := range PayerKeys(item.Payer) {
		for _, of := range payers[key][:min(len(payers[key]), mostDebts)] {
			if err := add(of, false); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func debtOf(p deferred.Payment) Debt {
	return Debt{
		MerchantID: p.MerchantID, PaymentID: p.ID, Number: p.Number, OrganisationID: p.OrganisationID, Currency: p.Currency,
		Outstanding: p.Outstanding(), Waiting: max(0, p.OwedAtMost()-p.Repaid),
	}
}

// Suggest returns what an entry that is not matched may be for, the likeliest
// first.
func (s *Service) Suggest(ctx context.Context, tx *db.Tx, e Entry) ([]Suggestion, error) {
	item := e.Item
	item.Amount = e.Open
	found, err := s.find(ctx, tx, []Item{withKey(item, "")})
	if err != nil {
		return nil, err
	}
	return suggest(item, found.debts[0]), nil
}

// withKey is an item under another key.
func withKey(item Item, key string) Item {
	item.Key = key
	return item
}

func nothing(a bankfile.Account) bool { return a.IBAN == "" && a.AccountNumber == "" }
