package repayment

import (
	"context"
	"fmt"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
)

// MethodCredit is the method of a payment out of the buyer's credit, and
// OriginCredit its origin. Its reference is the credit.
const (
	MethodCredit = "buyer_credit"
	OriginCredit = "credit"
)

// Credit is what a buyer has paid without owing it, in minor units.
type Credit struct {
	MerchantID     string
	ID             string
	OrganisationID string
	Currency       string
	Amount, Used   int64
	// Origin is the repayment that it is left over of.
	Origin  string
	Created time.Time
}

// Left is what is left of the credit.
func (c Credit) Left() int64 { return c.Amount - c.Used }

const (
	creditColumns        = `merchant_id, id, organisation_id, currency, amount, used, origin, created_at`
	selectCredit  db.SQL = `SELECT ` + creditColumns + ` FROM buyer_credits WHERE merchant_id = $1 AND id = $2`
	lockCredits   db.SQL = `SELECT ` + creditColumns + ` FROM buyer_credits
		WHERE merchant_id = $1 AND organisation_id = $2 AND currency = $3 AND used < amount ORDER BY created_at, id FOR UPDATE`
	lockCreditOf db.SQL = `SELECT ` + creditColumns + ` FROM buyer_credits
		WHERE merchant_id = $1 AND organisation_id = $2 AND currency = $3 AND origin = $4 ORDER BY created_at, id FOR UPDATE`
	lockCredit  db.SQL = `SELECT ` + creditColumns + ` FROM buyer_credits WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	listCredits db.SQL = `SELECT ` + creditColumns + ` FROM buyer_credits WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3`
	setCredit   db.SQL = `UPDATE buyer_credits SET used = $3 WHERE merchant_id = $1 AND id = $2`
	openOfBuyer db.SQL = `SELECT deferred_payment_id FROM repayment_states
		WHERE merchant_id = $1 AND organisation_id = $2 AND status = 'late'`
	paidByCredit db.SQL = `SELECT ` + repaymentColumns + ` FROM repayments
		WHERE merchant_id = $1 AND reference = $2 AND origin = 'credit' AND status = 'settled' AND type = 'payment'
		ORDER BY created_at DESC, id DESC`
)

func scanCredit(r db.Rows) (Credit, error) {
	var c Credit
	var created int64
	err := r.Scan(&c.MerchantID, &c.ID, &c.OrganisationID, &c.Currency, &c.Amount, &c.Used, &c.Origin, &created)
	c.Created = db.Time(created)
	return c, err
}

// GetCredit returns a buyer's credit, or db.ErrNoRows.
func GetCredit(ctx context.Context, tx *db.Tx, merchantID, creditID string) (Credit, error) {
	return db.One(ctx, tx, selectCredit, []any{merchantID, creditID}, scanCredit)
}

// Credits returns up to limit credits of a merchant's buyers after one of them.
func Credits(ctx context.Context, tx *db.Tx, merchantID, after string, limit int) ([]Credit, error) {
	return db.All(ctx, tx, listCredits, []any{merchantID, after, limit}, scanCredit)
}

// useCredits pays what is due out of the buyer's credit, before anything is
// collected. It reads the credits only when something is due.
func (s *Service) useCredits(ctx context.Context, tx *db.Tx, v *view) error {
	due := v.schedule.Due(v.today)
	if due == 0 || v.state.Collecting != "" || v.state.Disputed {
		return nil
	}
	credits, err := db.All(ctx, tx, lockCredits, []any{v.m.ID, v.p.OrganisationID, v.p.Currency}, scanCredit)
	if err != nil || len(credits) == 0 {
		return err
	}
	for _, c := range credits {
		part := min(due, c.Left())
		if part == 0 {
			break
		}
		due -= part
		r := Repayment{
			MerchantID: v.m.ID, ID: id.New(id.Repayment), PaymentID: v.p.ID, OrganisationID: v.p.OrganisationID, Type: TypePayment,
			Method: MethodCredit, Status: StatusPending, Currency: v.p.Currency, Amount: part, DueDate: v.state.NextDate,
			Reference: c.ID, Origin: OriginCredit, Created: v.now,
		}
		insert(tx, r)
		if err := s.moveCredit(tx, c, r.ID, part, v.now); err != nil {
			return err
		}
		if _, err := s.settle(ctx, tx, v.m, r, v.now); err != nil {
			return err
		}
	}
	p, err := deferred.Get(ctx, tx, v.m.ID, v.p.ID)
	if err != nil {
		return err
	}
	return v.again(ctx, tx, p)
}

// wakeBuyer looks at what a buyer is late with, now that it has a credit.
func (s *Service) wakeBuyer(ctx context.Context, tx *db.Tx, m merchant.Merchant, organisationID string, now time.Time) error {
	late, err := db.All(ctx, tx, openOfBuyer, []any{m.ID, organisationID}, func(r db.Rows) (paymentID string, err error) {
		return paymentID, r.Scan(&paymentID)
	})
	for _, paymentID := range late {
		wakeAt(tx, m, paymentID, now)
	}
	return err
}

// moveCredit takes a part of a credit for a repayment, or below zero gives it back.
func (s *Service) moveCredit(tx *db.Tx, c Credit, repaymentID string, part int64, now time.Time) error {
	tx.Queue(setCredit, c.MerchantID, c.ID, c.Used+part)
	return ledger.Post(tx, ledger.Transaction{
		MerchantID: c.MerchantID, ID: id.New(id.Event), ObjectID: repaymentID, Currency: c.Currency, At: now,
		Entries: []ledger.Entry{
			{Account: AccountBuyerCredit(c.OrganisationID), Amount: part},
			{Account: deferred.AccountCash, Amount: -part},
		},
	})
}

// restore gives a part of a credit back that had paid a debt.
func (s *Service) restore(ctx context.Context, tx *db.Tx, merchantID, creditID, repaymentID string, part int64, now time.Time) error {
	c, err := db.One(ctx, tx, lockCredit, []any{merchantID, creditID}, scanCredit)
	if err != nil {
		return err
	}
	return s.moveCredit(tx, c, repaymentID, -part, now)
}

// uncredit takes back what a returned payment had left over. What of it has paid
// other debts meanwhile is owed there again.
func (s *Service) uncredit(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, rest int64, now time.Time) error {
	credits, err := db.All(ctx, tx, lockCreditOf, []any{r.MerchantID, r.OrganisationID, r.Currency, r.ID}, scanCredit)
	if err != nil {
		return err
	}
	for _, c := range credits {
		if c.Left() < rest {
			if c, err = s.takeBack(ctx, tx, m, c, rest, now); err != nil {
				return err
			}
		}
		part := min(rest, c.Left())
		rest -= part
		if part == 0 {
			continue
		}
		if err := s.moveCredit(tx, c, r.ID, part, now); err != nil {
			return err
		}
	}
	if rest == 0 {
		return nil
	}
	// It was sent to the buyer before its bank took the payment back.
	return ledger.Post(tx, lose(r, rest, now))
}

// lose books money that left without a debt to stand against it.
func lose(r Repayment, amount int64, now time.Time) ledger.Transaction {
	return ledger.Transaction{
		MerchantID: r.MerchantID, ID: id.New(id.Event), ObjectID: r.ID, Currency: r.Currency, At: now,
		Entries: []ledger.Entry{
			{Account: deferred.AccountCash, Amount: -amount},
			{Account: deferred.AccountBadDebt, Amount: amount},
		},
	}
}

// takeApart undoes what a returned payment did beside paying the debt. back is the
// part that can be taken from the debt again.
func (s *Service) takeApart(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, back int64, now time.Time) error {
	if r.Origin == OriginCredit {
		return s.restore(ctx, tx, m.ID, r.Reference, r.ID, back, now)
	}
	if r.Applied > 0 {
		return ledger.Post(tx, lose(r, r.Applied, now))
	}
	return nil
}

// takeBack returns payments out of a credit until that much is left of it again.
func (s *Service) takeBack(ctx context.Context, tx *db.Tx, m merchant.Merchant, c Credit, wanted int64, now time.Time) (Credit, error) {
	paid, err := db.All(ctx, tx, paidByCredit, []any{c.MerchantID, c.ID}, scanRepayment)
	if err != nil {
		return c, err
	}
	for _, r := range paid {
		if c.Left() >= wanted {
			break
		}
		if _, err := s.Return(ctx, tx, m, r.ID, "credit_withdrawn", "The payment that the credit came from was taken back.", now); err != nil {
			return c, err
		}
		if c, err = db.One(ctx, tx, lockCredit, []any{c.MerchantID, c.ID}, scanCredit); err != nil {
			return c, err
		}
	}
	return c, nil
}

// RefundCredit has what is left of a buyer's credit sent back to the account that
// it came from, or to another. It returns a 409 when nothing is left and a 400 when
// nobody knows an account.
func (s *Service) RefundCredit(ctx context.Context, tx *db.Tx, m merchant.Merchant, creditID string, to *bankfile.Account, now time.Time) (BankOrder, error) {
	c, err := db.One(ctx, tx, lockCredit, []any{m.ID, creditID}, scanCredit)
	if err != nil {
		return BankOrder{}, err
	}
	left := c.Left()
	if left == 0 {
		return BankOrder{}, apierr.Conflict("Nothing is left of this credit.")
	}
	account, err := payerOf(ctx, tx, m.ID, c.Origin)
	if err != nil {
		return BankOrder{}, err
	}
	if to != nil {
		account = to.Normalise()
	}
	if err := account.Check(); err != nil {
		return BankOrder{}, apierr.Field("account", fmt.Sprintf("The account to send it to: %v.", err))
	}
	o := BankOrder{
		ID: id.New(id.BankOrder), Kind: OrderCredit, MerchantID: m.ID, ObjectID: c.ID, Status: OrderPending, Currency: c.Currency, Amount: left,
		Account: account, Remittance: "Refund of credit " + c.ID, Created: now,
	}
	insertOrder(tx, o)
	tx.Queue(setCredit, c.MerchantID, c.ID, c.Amount)
	data, err := db.JSON(map[string]any{"id": c.ID, "organisation": c.OrganisationID, "currency": c.Currency, "amount": left, "order": o.ID})
	if err != nil {
		return o, err
	}
	event.Append(tx, event.Event{MerchantID: m.ID, Type: "buyer_credit.refunded", ObjectID: c.ID, RootID: c.ID, Data: data, Created: now})
	return o, ledger.Post(tx, o.transaction(o.ID, now, AccountBuyerCredit(c.OrganisationID), AccountOutgoing))
}

// creditBack undoes RefundCredit for an order that the bank has refused.
func (s *Service) creditBack(ctx context.Context, tx *db.Tx, o BankOrder, now time.Time) error {
	c, err := db.One(ctx, tx, lockCredit, []any{o.MerchantID, o.ObjectID}, scanCredit)
	if err != nil {
		return err
	}
	tx.Queue(setCredit, c.MerchantID, c.ID, c.Used-o.Amount)
	return ledger.Post(tx, o.transaction(o.ID+"-failed", now, AccountOutgoing, AccountBuyerCredit(c.OrganisationID)))
}
