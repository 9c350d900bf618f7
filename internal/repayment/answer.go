package repayment

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
)

// Answers is what came of reading a bank's answer to a file.
type Answers struct {
	// Read are the answers to single payments; Changed those that were news.
	Read    int `json:"read"`
	Changed int `json:"changed"`
	// Unknown are references that none of our orders has.
	Unknown []string `json:"unknown"`
}

// ReadAnswer reads what the bank says of a file: pain.002, or a Bacs report of
// debits returned unpaid. Reading it again changes nothing.
func (s *Service) ReadAnswer(ctx context.Context, d *db.DB, r io.Reader) (Answers, error) {
	out := Answers{Unknown: []string{}}
	in := bufio.NewReaderSize(r, 8192)
	head, err := in.Peek(4096)
	if err != nil && err != io.EOF {
		return out, err
	}
	if bytes.Contains(head, []byte("pain.002")) {
		return out, s.readStatus(ctx, d, in, &out)
	}
	_, err = bankfile.ReadUnpaid(in, func(u bankfile.Unpaid) error {
		out.Read++
		return d.Write(ctx, func(tx *db.Tx) error { return s.unpaid(ctx, tx, u, &out) })
	})
	return out, err
}

// unpaid books a Bacs debit that was returned: the newest that goes by the
// reference and the amount and was not returned before.
func (s *Service) unpaid(ctx context.Context, tx *db.Tx, u bankfile.Unpaid, out *Answers) error {
	orders, err := db.All(ctx, tx, mandateOrders, []any{u.Reference, u.Amount.Minor}, scanOrder)
	if err != nil {
		return err
	}
	for _, o := range orders {
		if o.Currency != u.Amount.Currency {
			continue
		}
		f, err := GetFile(ctx, tx, o.FileID)
		if err != nil {
			return err
		}
		if !u.Processed.IsZero() && f.Day != dateText(u.Processed) {
			continue
		}
		if o, err = db.One(ctx, tx, lockBankOrder, []any{o.ID}, scanOrder); err != nil {
			return err
		}
		if o.Status == OrderReturned {
			return nil
		}
		if o.Status == OrderSent || o.Status == OrderSettled {
			out.Changed++
			return s.returned(ctx, tx, o, "ARUDD-"+u.Reason, bankfile.UnpaidReasons[u.Reason], s.Clock.Now())
		}
	}
	out.Unknown = append(out.Unknown, u.Reference)
	return nil
}

// readStatus reads a pain.002. Only rejections are news: that a bank has taken an
// order says nothing of the money yet.
func (s *Service) readStatus(ctx context.Context, d *db.DB, r io.Reader, out *Answers) error {
	report, err := bankfile.ReadStatus(r, func(p bankfile.PaymentStatus) error {
		out.Read++
		if !p.Status.Rejected() {
			return nil
		}
		return d.Write(ctx, func(tx *db.Tx) error { return s.rejected(ctx, tx, p, out) })
	})
	if err != nil || !report.Status.Rejected() {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		orders, err := db.All(ctx, tx, bankOrdersOf, []any{report.OriginalMessageID}, scanOrder)
		if err == nil && len(orders) == 0 {
			return fmt.Errorf("message %s: %w", report.OriginalMessageID, errNotOurs)
		}
		if err != nil {
			return err
		}
		return s.rejectAll(ctx, tx, orders, report.Reasons, out)
	})
}

func (s *Service) rejected(ctx context.Context, tx *db.Tx, p bankfile.PaymentStatus, out *Answers) error {
	var orders []BankOrder
	var err error
	if p.EndToEndID == "" {
		orders, err = db.All(ctx, tx, bankOrdersBatch, []any{p.BatchID}, scanOrder)
	} else {
		var o BankOrder
		if o, err = db.One(ctx, tx, lockBankOrder, []any{p.EndToEndID}, scanOrder); err == nil {
			orders = []BankOrder{o}
		}
		if gone, other := missing(err); gone {
			err = other
		}
	}
	if err != nil {
		return err
	}
	if len(orders) == 0 {
		out.Unknown = append(out.Unknown, p.EndToEndID+p.BatchID)
		return nil
	}
	return s.rejectAll(ctx, tx, orders, p.Reasons, out)
}

func (s *Service) rejectAll(ctx context.Context, tx *db.Tx, orders []BankOrder, reasons []bankfile.StatusReason, out *Answers) error {
	why := bankfile.StatusReason{Code: "rejected", Text: "The bank has rejected the payment."}
	if len(reasons) > 0 && reasons[0].Code != "" {
		why = reasons[0]
	}
	for _, o := range orders {
		o, err := db.One(ctx, tx, lockBankOrder, []any{o.ID}, scanOrder)
		if err != nil {
			return err
		}
		if o.Status != OrderSent {
			continue
		}
		out.Changed++
		if err := s.orderFailed(ctx, tx, o, why.Code, why.Text, s.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}
