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
	"tradecredit/internal/job"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/processor"
)

// WakeKind is the kind of the due row that looks at what a deferred payment has
// due. Every payment that is not closed has exactly one.
const WakeKind = "repayment.due"

// AccountBuyerCredit is what a buyer has paid without owing it.
func AccountBuyerCredit(organisationID string) string { return "buyer_credit:" + organisationID }

// Service is what can be done about repayments.
type Service struct {
	Deferred *deferred.Service
	// Processor charges cards and accounts. Immediate says that it decides by
	// itself at once, as the sandbox's does, so that it is asked inside a
	// transaction; otherwise it is asked by a job.
	Processor processor.Processor
	Immediate bool
	Clock     Clock
	// File says that direct debits go to the bank in files, and not to Processor.
	File bool
	// Remind writes to the buyer before and after what is due, Notify about a
	// collection that failed and money that goes back. Nil writes to nobody.
	Remind func(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Reminder) error
	Notify func(ctx context.Context, tx *db.Tx, m merchant.Merchant, n Notice) error
	// Account is the lender's account in a currency; it returns db.ErrNoRows for
	// none.
	Account func(ctx context.Context, tx *db.Tx, currency string) (bankfile.Account, error)
	// Statement finds the payments for which a transfer is that names a statement, and
	// Payout books one that is a payout, or one that came back. With nil there is
	// neither.
	Statement func(ctx context.Context, tx *db.Tx, item Item) ([]Share, error)
	Payout    func(ctx context.Context, tx *db.Tx, item Item, now time.Time) (bool, error)
}

// Entered notes a payment that was accepted, or that waits for its upfront part,
// so that what falls due is looked at. It is called by the deferred package.
func (s *Service) Entered(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, now time.Time) error {
	switch p.Status {
	case deferred.StatusRejected:
		return s.refresh(ctx, tx, m, p, now, nil)
	case deferred.StatusCustomerActionRequired:
		return s.notify(ctx, tx, m, p, Repayment{}, NoticeDocuments, now)
	case deferred.StatusAccepted, deferred.StatusPendingPayment:
	default:
		return nil
	}
	saveNewState(tx, newState(p))
	if err := s.know(ctx, tx, p); err != nil {
		return err
	}
	if p.Upfront > 0 && p.PaymentMethod != offer.MethodInvoice {
		// The upfront part is charged at once.
		wakeAt(tx, m, p.ID, now)
		return nil
	}
	v, err := look(ctx, tx, m, p, now)
	if err != nil {
		return err
	}
	v.note()
	return v.save(tx)
}

func newState(p deferred.Payment) State {
	return State{
		MerchantID: p.MerchantID, PaymentID: p.ID, OrganisationID: p.OrganisationID, CompanyID: p.CompanyID,
		Currency: p.Currency, Method: p.PaymentMethod, Status: StateOpen,
	}
}

// SetToken says which card or mandate is charged for a payment.
func (s *Service) SetToken(tx *db.Tx, p deferred.Payment, token string) {
	saveNewState(tx, newState(p))
	tx.Queue(updateToken, p.MerchantID, p.ID, token)
}

func wakeAt(tx *db.Tx, m merchant.Merchant, paymentID string, at time.Time) {
	job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: WakeKind, ObjectID: paymentID, At: at}, m.Offset)
}

// Report is money that somebody says has moved.
type Report struct {
	PaymentID string
	// Amount is in minor units.
	Amount  int64
	Method  string
	Settled bool
	// Code and Message say why it failed.
	Code, Message string
	Reference     string
	Origin        string
}

// Record stores a payment of the buyer that a bank or a processor reports. A
// settled one pays what is owed, or will be; what is more becomes the buyer's
// credit. A failed one changes no figure. It returns db.ErrNoRows for a payment
// that does not exist, and a 409 for one that was rejected.
func (s *Service) Record(ctx context.Context, tx *db.Tx, m merchant.Merchant, in Report, now time.Time) (Repayment, error) {
	p, err := deferred.Get(ctx, tx, m.ID, in.PaymentID)
	if err != nil {
		return Repayment{}, err
	}
	r := Repayment{
		MerchantID: m.ID, ID: id.New(id.Repayment), PaymentID: p.ID, OrganisationID: p.OrganisationID,
		Type: TypePayment, Method: in.Method, Status: StatusPending, Currency: p.Currency, Amount: in.Amount,
		Reference: in.Reference, Origin: in.Origin, Created: now,
	}
	if r.Method == "" {
		r.Method = methodOf(p)
	}
	insert(tx, r)
	if !in.Settled {
		return s.fail(ctx, tx, m, r, in.Code, in.Message, now)
	}
	return s.settle(ctx, tx, m, r, now)
}

// methodOf is how a payment is paid when nobody says otherwise.
func methodOf(p deferred.Payment) string {
	if p.PaymentMethod == offer.MethodInvoice {
		return MethodBankTransfer
	}
	return p.PaymentMethod
}

// settle books a pending payment as paid.
func (s *Service) settle(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, now time.Time) (Repayment, error) {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, r.PaymentID)
	if err != nil {
		return r, err
	}
	if p.Status == deferred.StatusRejected && r.Origin == OriginSandbox {
		return r, apierr.Conflict("A deferred payment that is rejected can not be paid.")
	}
	r.Status, r.Settled = StatusSettled, &now
	if p.Status != deferred.StatusRejected {
		r.Applied = min(r.Amount, max(0, p.OwedAtMost()-p.Repaid))
	}
	update(tx, r)
	if r.Applied > 0 {
		recovered := min(p.WrittenOff, max(0, r.Applied-p.Outstanding()))
		p, err = s.Deferred.Settle(ctx, tx, m, deferred.Settlement{
			PaymentID: p.ID, ID: id.New(id.Event), What: "repayment", Repaid: r.Applied, WrittenOff: -recovered,
		}, now)
		if err != nil {
			return r, err
		}
	}
	if rest := r.Amount - r.Applied; rest > 0 {
		if err := credit(tx, r, rest, now); err != nil {
			return r, err
		}
		if err := s.wakeBuyer(ctx, tx, m, r.OrganisationID, now); err != nil {
			return r, err
		}
	}
	return r, s.refresh(ctx, tx, m, p, now, func(state *State) {
		state.Attempts, state.RetryOn = 0, ""
		if state.Collecting == r.ID {
			state.Collecting = ""
		}
		state.paid(r.Applied)
	})
}

// The origins of repayments.
const (
	OriginSandbox   = "sandbox"
	OriginProcessor = "processor"
	OriginBank      = "bank"
	OriginOperator  = "operator"
)

// credit keeps what a buyer paid without owing it.
func credit(tx *db.Tx, r Repayment, rest int64, now time.Time) error {
	creditID := id.New(id.BuyerCredit)
	tx.Queue(insertCredit, r.MerchantID, creditID, r.OrganisationID, r.Currency, rest, r.ID, db.Micros(now))
	data, err := db.JSON(map[string]any{"id": creditID, "organisation": r.OrganisationID, "currency": r.Currency, "amount": rest, "repayment": r.ID})
	if err != nil {
		return err
	}
	event.Append(tx, event.Event{
		MerchantID: r.MerchantID, Type: "buyer_credit.created", ObjectID: creditID, RootID: r.PaymentID, Data: data, Created: now,
	})
	return ledger.Post(tx, ledger.Transaction{
		MerchantID: r.MerchantID, ID: creditID, ObjectID: creditID, Currency: r.Currency, At: now,
		Entries: []ledger.Entry{
			{Account: deferred.AccountCash, Amount: rest},
			{Account: AccountBuyerCredit(r.OrganisationID), Amount: -rest},
		},
	})
}

// fail stores that a payment did not come.
func (s *Service) fail(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, code, message string, now time.Time) (Repayment, error) {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, r.PaymentID)
	if err != nil {
		return r, err
	}
	if code == "" {
		code, message = "failed", "The payment failed."
	}
	r.Status, r.Code, r.Message, r.Settled = StatusFailed, code, message, &now
	update(tx, r)
	if err := announce(tx, p, r, "deferred_payment.repayment_failed", now); err != nil {
		return r, err
	}
	if r.Attempt > 0 {
		if err := s.notify(ctx, tx, m, p, r, NoticeFailed, now); err != nil {
			return r, err
		}
	}
	next, err := s.retryDay(ctx, tx, m, p, now)
	if err != nil {
		return r, err
	}
	return r, s.refresh(ctx, tx, m, p, now, func(state *State) { s.failed(state, m, r, next) })
}

// announce appends an event about a repayment that changed no figure.
func announce(tx *db.Tx, p deferred.Payment, r Repayment, kind string, now time.Time) error {
	data, err := db.JSON(map[string]any{
		"id": p.ID, "order": p.OrderID, "repayment": r.ID, "type": r.Type, "method": r.Method, "status": r.Status,
		"amount": r.Amount, "currency": r.Currency, "code": r.Code, "attempt": r.Attempt, "due_date": r.DueDate,
	})
	if err != nil {
		return err
	}
	event.Append(tx, event.Event{
		MerchantID: p.MerchantID, Type: kind, ObjectID: p.ID, RootID: p.OrderID, Data: data, Created: now,
	})
	return nil
}

// Return takes a settled payment back: the buyer's bank did so. The debt is there
// again. It returns db.ErrNoRows for a repayment that does not exist and a 409 for
// one that is not settled.
func (s *Service) Return(ctx context.Context, tx *db.Tx, m merchant.Merchant, repaymentID, code, message string, now time.Time) (Repayment, error) {
	found, err := Get(ctx, tx, m.ID, repaymentID)
	if err != nil {
		return found, err
	}
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, found.PaymentID)
	if err != nil {
		return found, err
	}
	r, err := Lock(ctx, tx, m.ID, repaymentID)
	if err != nil {
		return r, err
	}
	if r.Status != StatusSettled || r.Type != TypePayment {
		return r, apierr.Conflict(fmt.Sprintf("A repayment that is %s can not be returned.", r.Status))
	}
	rest := r.Amount - r.Applied
	if rest > 0 {
		// The credit may have paid this debt too: what is repaid is known only then.
		if err := s.uncredit(ctx, tx, m, r, rest, now); err != nil {
			return r, err
		}
		if p, err = deferred.Lock(ctx, tx, m.ID, p.ID); err != nil {
			return r, err
		}
	}
	back := min(r.Applied, p.Repaid)
	if r.Origin == OriginCredit {
		all, err := Of(ctx, tx, m.ID, p.ID)
		if err != nil {
			return r, err
		}
		standing := r.Applied
		for _, x := range all {
			if x.ChargeID == r.ID && x.Status != StatusFailed {
				standing -= x.Amount
			}
		}
		back = min(back, standing)
	}
	// What was given back before cannot be taken from the debt again.
	r.Status, r.Code, r.Message, r.Applied = StatusReturned, code, message, r.Applied-back
	update(tx, r)
	if err := s.takeApart(ctx, tx, m, r, back, now); err != nil {
		return r, err
	}
	if back > 0 {
		p, err = s.Deferred.Settle(ctx, tx, m, deferred.Settlement{
			PaymentID: p.ID, ID: id.New(id.Event), What: "repayment_returned", Repaid: -back,
		}, now)
		if err != nil {
			return r, err
		}
	}
	if r.Origin != OriginCredit {
		if err := s.notify(ctx, tx, m, p, r, NoticeReturned, now); err != nil {
			return r, err
		}
	}
	next, err := s.retryDay(ctx, tx, m, p, now)
	if err != nil {
		return r, err
	}
	return r, s.refresh(ctx, tx, m, p, now, func(state *State) { s.failed(state, m, r, next) })
}

// WriteOff gives up what is outstanding of a payment, or an amount of it when that
// is above zero. It returns a 400 when nothing, or less, is outstanding.
func (s *Service) WriteOff(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, amount int64, now time.Time) (deferred.Payment, error) {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, paymentID)
	if err != nil {
		return p, err
	}
	if amount == 0 {
		amount = p.Outstanding()
	}
	if amount < 1 || amount > p.Outstanding() {
		return p, apierr.Field("amount", fmt.Sprintf("Ensure this value is between 1 and %d.", p.Outstanding()))
	}
	p, err = s.Deferred.Settle(ctx, tx, m, deferred.Settlement{
		PaymentID: p.ID, ID: id.New(id.Event), What: "written_off", WrittenOff: amount,
	}, now)
	if err != nil {
		return p, err
	}
	return p, s.refresh(ctx, tx, m, p, now, nil)
}
