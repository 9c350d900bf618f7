package fraud

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/order"
	"tradecredit/internal/underwriting"
)

// subject is who accepted a plan: what inputs and identifiers are made of.
type subject struct {
	underwriting.Application

	rules      string // the hash of the rules that count
	customer   order.Customer
	userID     string
	email      string
	phone      string
	registered *time.Time
	companies  int64
	colleagues []string
	// earlier counts payments, declined are the times of declined offers.
	earlier  int64
	declined []time.Time
	register company.Company
}

// meet reads who accepted a plan, in two or three round trips.
func meet(ctx context.Context, tx *db.Tx, a underwriting.Application) (s subject, err error) {
	s.Application, s.email = a, a.Buyer.Email
	m := a.Merchant.ID
	tx.QueueQuery(selectCurrent, func(r db.Rows) error { return first(r, &s.rules) }, m)
	tx.QueueQuery(selectOrder, s.readOrder, m, a.OrderID)
	tx.QueueQuery(selectUser, s.readUser, m, a.OrderID)
	tx.QueueQuery(selectColleagues, s.readColleagues, m, a.OrganisationID)
	tx.QueueQuery(selectEarlier, s.readEarlier, m, a.OrganisationID)
	if err := tx.Flush(ctx); err != nil {
		return s, err
	}
	if s.email == "" && s.customer.DeliveryAddress != nil {
		s.email = s.customer.DeliveryAddress.Email
	}
	if s.phone == "" && s.customer.DeliveryAddress != nil {
		s.phone = s.customer.DeliveryAddress.Phone
	}
	s.register, err = company.Get(ctx, tx, a.Buyer.CompanyID)
	if errors.Is(err, db.ErrNoRows) {
		err = nil // a sole trader
	}
	return s, err
}

func first(r db.Rows, dest ...any) error {
	if !r.Next() {
		return r.Err()
	}
	return r.Scan(dest...)
}

func (s *subject) readOrder(r db.Rows) error {
	var body string
	if err := first(r, &body); err != nil || body == "" {
		return err
	}
	var o order.Order
	err := json.Unmarshal([]byte(body), &o)
	s.customer = o.Customer
	return err
}

func (s *subject) readUser(r db.Rows) error {
	var registered int64
	var email string
	err := first(r, &s.userID, &email, &s.phone, &registered, &s.companies)
	if s.userID == "" {
		return err
	}
	at := db.Time(registered)
	s.registered = &at
	if s.email == "" {
		s.email = email
	}
	return err
}

func (s *subject) readColleagues(r db.Rows) error {
	for r.Next() {
		var key string
		if err := r.Scan(&key); err != nil {
			return err
		}
		s.colleagues = append(s.colleagues, key)
	}
	return nil
}

func (s *subject) readEarlier(r db.Rows) error {
	for r.Next() {
		var orderID string
		var payments, declined int64
		if err := r.Scan(&orderID, &payments, &declined); err != nil {
			return err
		}
		if payments > 0 && orderID != s.OrderID {
			s.earlier++
		}
		if declined > 0 {
			s.declined = append(s.declined, db.Time(declined))
		}
	}
	return nil
}

// inputs are what can be said without looking for others.
func (s subject) inputs() Inputs {
	in := Inputs{
		Currency: s.Currency, Amount: s.Amount, Limit: s.Buyer.Limit, Guest: s.customer.Type == "guest",
		CompanyCountry: s.Buyer.Country, CallingCode: callingCode(s.phone),
		Domain: mailDomain(s.email), CompanyDomain: mailDomain(s.register.Email),
		Earlier: s.earlier, Companies: s.companies, Declined: map[int64]int64{},
	}
	if a := s.customer.DeliveryAddress; a != nil {
		in.DeliveryCountry = a.Country
	}
	if a := s.customer.InvoiceAddress; a != nil {
		in.InvoiceCountry = a.Country
	}
	in.NameFits = in.Domain != "" && nameFits(s.Buyer.Name, in.Domain)
	for _, c := range s.colleagues {
		if d := mailDomain(c); d != "" && emailKey(c) != emailKey(s.email) && !slices.Contains(in.ColleagueDomains, d) {
			in.ColleagueDomains = append(in.ColleagueDomains, d)
		}
	}
	slices.Sort(in.ColleagueDomains)
	in.CompanyDays, in.RegisteredDays = days(s.Buyer.Incorporated, s.Now), days(s.registered, s.Now)
	for _, hours := range Windows() {
		for _, at := range s.declined {
			if !at.Before(s.Now.Add(-time.Duration(hours) * time.Hour)) {
				in.Declined[hours]++
			}
		}
	}
	return in
}

// mailDomain is the domain of an address that is one.
func mailDomain(email string) string {
	if emailKey(email) == "" {
		return ""
	}
	return domain(email)
}

// days are the whole days since a time, 0 for one to come.
func days(since *time.Time, now time.Time) *int64 {
	if since == nil {
		return nil
	}
	n := max(0, int64(now.Sub(*since)/(24*time.Hour)))
	return &n
}

// identifiers are those of the buyer, each kind at most once.
func (e *Engine) identifiers(s subject) (out []Identifier) {
	for of, value := range map[string]string{
		OfCompany: s.Buyer.CompanyID, OfUser: s.userID, OfEmail: s.email, OfDomain: mailDomain(s.email), OfPhone: s.phone,
		OfAddress: addressKey(s.customer.DeliveryAddress),
	} {
		if i, ok := Hash(e.key, of, value, s.Buyer.Country); ok {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b Identifier) int { return slices.Index(Kinds(), a.Of) - slices.Index(Kinds(), b.Of) })
	return out
}

// compare looks, in one round trip, for what was seen of the identifiers before. It
// holds those that are counted until tx ends, so that of two who buy at once the
// second counts the first.
func compare(ctx context.Context, tx *db.Tx, r *Rules, s subject, all []Identifier, in *Inputs) error {
	counted := countedOf(r, all, in.Domain)
	hold(tx, counted)
	in.Seen, in.Shared = map[string]map[int64]Window{}, map[string]int64{}
	for _, of := range r.counted() {
		in.Seen[of] = map[int64]Window{} // one that the buyer does not show was never seen
	}
	widest := Windows()[len(Windows())-1]
	for _, i := range counted {
		// The clocks of two nodes differ: one that is ahead is counted too.
		tx.QueueQuery(selectAttempts, in.readAttempts(i.Of, s.Now), i.Of, i.Hash,
			db.Micros(s.Now.Add(-time.Duration(widest)*time.Hour)), db.Micros(s.Now.Add(time.Hour)), maxSightings)
	}
	for _, i := range all {
		if i.Of == OfCompany || i.Of == OfUser || i.Of == OfDomain && r.free(in.Domain) {
			continue
		}
		tx.QueueQuery(selectOthers, func(rows db.Rows) error {
			in.Shared[i.Of] = 0
			for rows.Next() {
				in.Shared[i.Of]++
			}
			return nil
		}, i.Of, i.Hash, s.Buyer.CompanyID)
	}
	queueListed(tx, s.Merchant.ID, all, in)
	return tx.Flush(ctx)
}

// countedOf are the identifiers that the rules count. A domain in which anybody can
// have an address says nothing about who has.
func countedOf(r *Rules, all []Identifier, domain string) (out []Identifier) {
	kinds := r.counted()
	for _, i := range all {
		if slices.Contains(kinds, i.Of) && !(i.Of == OfDomain && r.free(domain)) {
			out = append(out, i)
		}
	}
	return out
}

// hold locks identifiers in a fixed order, with what is queued.
func hold(tx *db.Tx, counted []Identifier) {
	var taken []int64
	for _, i := range counted {
		taken = append(taken, i.slot())
	}
	slices.Sort(taken)
	taken = slices.Compact(taken)
	tx.QueueMany(insertLocks, taken)
	for _, args := range tx.Split(taken) {
		tx.QueueQuery(takeLocks, func(db.Rows) error { return nil }, args...)
	}
}

func (in *Inputs) readAttempts(of string, now time.Time) func(db.Rows) error {
	return func(r db.Rows) error {
		seen := map[int64]Window{}
		for r.Next() {
			var at, amount int64
			var currency string
			var accepted bool
			if err := r.Scan(&at, &currency, &amount, &accepted); err != nil {
				return err
			}
			for _, hours := range Windows() {
				if db.Time(at).Before(now.Add(-time.Duration(hours) * time.Hour)) {
					continue
				}
				w := seen[hours]
				w.add(currency, amount, accepted)
				seen[hours] = w
			}
		}
		in.Seen[of] = seen
		return nil
	}
}

// add counts an attempt. A sum that no number holds stays at the greatest.
func (w *Window) add(currency string, amount int64, accepted bool) {
	w.Attempted++
	if accepted {
		w.Accepted++
	}
	if w.Amounts == nil {
		w.Amounts = map[string]int64{}
	}
	const most = 1<<63 - 1
	w.Amounts[currency] = w.Amounts[currency] + min(amount, most-w.Amounts[currency])
}

// remember writes what was seen now.
func remember(tx *db.Tx, r *Rules, s subject, all []Identifier, d Decision) {
	at := db.Micros(s.Now)
	n := 0
	var kinds, hashes, companies, merchants []string
	var times []int64
	for _, i := range all {
		if i.Of == OfCompany || i.Of == OfUser || i.Of == OfDomain && r.free(d.Inputs.Domain) {
			continue
		}
		kinds, hashes, companies = append(kinds, i.Of), append(hashes, i.Hash), append(companies, s.Buyer.CompanyID)
		merchants, times = append(merchants, s.Merchant.ID), append(times, at)
	}
	if s.Buyer.CompanyID != "" {
		tx.QueueMany(insertIdentifiers, kinds, hashes, companies, merchants, times)
	}
	counted := countedOf(r, all, d.Inputs.Domain)
	n = len(counted)
	kinds, hashes, merchants, times = make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	decisions, currencies, amounts, accepted := make([]string, n), make([]string, n), make([]int64, n), make([]bool, n)
	for k, i := range counted {
		kinds[k], hashes[k], times[k], decisions[k], merchants[k] = i.Of, i.Hash, at, d.ID, s.Merchant.ID
		currencies[k], amounts[k], accepted[k] = s.Currency, s.Amount, d.Verdict.Outcome == underwriting.Accepted
	}
	tx.QueueMany(insertAttempts, kinds, hashes, times, decisions, merchants, currencies, amounts, accepted)
}
