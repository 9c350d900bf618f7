package repayment

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/offer"
)

// The kinds of notices.
const (
	NoticeFailed   = "failed"
	NoticeReturned = "returned"
	NoticeRefunded = "refunded"
	// NoticeDocuments asks for documents, NoticeAccepted and NoticeRejected tell what
	// came of a payment that the buyer had to wait for.
	NoticeDocuments = "documents"
	NoticeAccepted  = "accepted"
	NoticeRejected  = "rejected"
)

// Notice is what the buyer is told besides reminders.
type Notice struct {
	Kind      string
	Payment   deferred.Payment
	Buyer     offer.Buyer
	Repayment Repayment
	Now       time.Time
}

func (s *Service) notify(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, r Repayment, kind string, now time.Time) error {
	if s.Notify == nil {
		return nil
	}
	b, err := s.buyer(ctx, tx, p)
	if err != nil {
		return err
	}
	return s.Notify(ctx, tx, m, Notice{Kind: kind, Payment: p, Buyer: b, Repayment: r, Now: now})
}

// Decided tells the buyer what came of a payment that it had to wait for.
func (s *Service) Decided(ctx context.Context, tx *db.Tx, m merchant.Merchant, _, after deferred.Payment, now time.Time) error {
	switch after.Status {
	case deferred.StatusAccepted:
		return s.notify(ctx, tx, m, after, Repayment{}, NoticeAccepted, now)
	case deferred.StatusRejected:
		return s.notify(ctx, tx, m, after, Repayment{}, NoticeRejected, now)
	}
	return nil
}

// Letters writes the mails of the lender to buyers.
type Letters struct {
	Mail *mail.Mailer
	// Lender is the name of who writes, HelpEmail where to answer.
	Lender, HelpEmail string
	// Account is that of Service.
	Account func(ctx context.Context, tx *db.Tx, currency string) (bankfile.Account, error)
	// Link is the address of the page on which a plan is looked at.
	Link func(planID string) string
}

//go:embed locales/*.json
var letterFiles embed.FS

// Locales are the languages of the letters. English stands in for all others.
var Locales = []string{"en", "de", "fr", "es", "it", "nl"}

// letterTexts are the texts of the letters by language and key.
var letterTexts = sync.OnceValues(func() (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, name := range Locales {
		text, err := letterFiles.ReadFile("locales/" + name + ".json")
		if err != nil {
			return nil, err
		}
		table := map[string]string{}
		if err := json.Unmarshal(text, &table); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = table
	}
	return out, nil
})

// language is the part of a locale such as fr-BE that names one of ours.
func language(locale string) string {
	short := strings.ToLower(locale)
	if i := strings.IndexAny(short, "-_"); i >= 0 {
		short = short[:i]
	}
	for _, l := range Locales {
		if l == short {
			return l
		}
	}
	return "en"
}

// Level is the tone of a reminder: "before" it is due, then ever firmer. days are
// the merchant's dunning days; the last of them is the final notice, unless it is
// the only one after the due date.
func Level(days []int64, day int64) string {
	after, place := 0, 0
	for _, d := range days {
		if d < 0 {
			continue
		}
		after++
		if d <= day {
			place++
		}
	}
	switch {
	case day < 0:
		return "before"
	case place == 1:
		return "overdue"
	case place >= after:
		return "final"
	}
	return "firm"
}

// Remind writes a reminder. A buyer without an address is not written to.
func (l *Letters) Remind(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Reminder) error {
	level := Level(m.Settings.DunningDays, r.Day)
	how := "transfer"
	if level == "before" && r.Method != offer.MethodInvoice {
		how = "charge"
	}
	return l.send(ctx, tx, m, r.Payment, r.Buyer, level, how, r.Amount, r.DueDate, r.Now)
}

// Notify writes a notice.
func (l *Letters) Notify(ctx context.Context, tx *db.Tx, m merchant.Merchant, n Notice) error {
	how := "nothing"
	if n.Kind == NoticeFailed || n.Kind == NoticeReturned {
		how = "transfer"
	}
	return l.send(ctx, tx, m, n.Payment, n.Buyer, n.Kind, how, n.Repayment.Amount, date(n.Repayment.DueDate), n.Now)
}

// send writes one letter in the language of the offer.
func (l *Letters) send(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, b offer.Buyer, key, how string, amount int64, due, now time.Time) error {
	if b.Email == "" {
		return nil
	}
	locale, err := localeOf(ctx, tx, p)
	if err != nil {
		return err
	}
	all, err := letterTexts()
	if err != nil {
		return err
	}
	name := language(locale)
	texts := all[name]
	fill := strings.NewReplacer(
		"{name}", b.UserName, "{merchant}", m.Name, "{lender}", l.Lender, "{number}", p.Number,
		"{amount}", amountIn(amount, p.Currency, texts), "{date}", dayIn(due, texts), "{help}", l.HelpEmail,
	).Replace
	subject := fill(texts[key+".subject"])
	paragraphs := []mail.Paragraph{{Text: fill(texts["hello"])}, {Text: fill(texts[key+".text"])}}
	switch how {
	case "charge":
		paragraphs = append(paragraphs, mail.Paragraph{Text: fill(texts["charge."+p.PaymentMethod])})
	case "transfer":
		where, err := l.where(ctx, tx, p.Currency, texts)
		if err != nil {
			return err
		}
		paragraphs = append(paragraphs, mail.Paragraph{Text: fill(texts["transfer"]) + where})
	}
	if l.Link != nil && p.PlanID != "" {
		paragraphs = append(paragraphs, mail.Paragraph{LinkURL: l.Link(p.PlanID), LinkText: texts["link"]})
	}
	closing := texts["closing"]
	if l.HelpEmail != "" {
		closing = texts["help"] + "\n\n" + closing
	}
	paragraphs = append(paragraphs, mail.Paragraph{Text: fill(closing)})
	text, html := mail.Render(subject, paragraphs)
	_, err = l.Mail.Send(tx, m.ID, mail.Mail{To: []string{b.Email}, Subject: subject, Text: text, HTML: html}, now)
	if errors.Is(err, mail.ErrAddress) {
		return nil // nobody can be written to there, and the debt goes on
	}
	return err
}

// where says to which account a transfer goes.
func (l *Letters) where(ctx context.Context, tx *db.Tx, currency string, texts map[string]string) (string, error) {
	if l.Account == nil {
		return "", nil
	}
	a, err := l.Account(ctx, tx, currency)
	if gone, err := missing(err); gone || err != nil {
		return "", err
	}
	lines := "\n" + texts["account.holder"] + ": " + a.Name
	if a.IBAN != "" {
		lines += "\nIBAN: " + a.IBAN
		if a.BIC != "" {
			lines += "\nBIC: " + a.BIC
		}
		return lines, nil
	}
	return lines + "\n" + texts["account.sort_code"] + ": " + a.SortCode + "\n" + texts["account.number"] + ": " + a.AccountNumber, nil
}

func localeOf(ctx context.Context, tx *db.Tx, p deferred.Payment) (string, error) {
	plan, err := offer.FindPlan(ctx, tx, p.PlanID)
	if gone, err := missing(err); gone || err != nil {
		return "", err
	}
	o, err := offer.GetEvenDeleted(ctx, tx, p.MerchantID, plan.OfferID)
	if gone, err := missing(err); gone || err != nil {
		return "", err
	}
	return o.Locale, nil
}

// dayIn writes a day out, in a language.
func dayIn(t time.Time, texts map[string]string) string {
	if t.IsZero() {
		return ""
	}
	months := strings.Split(texts["months"], ",")
	if len(months) != 12 {
		return dateText(t)
	}
	return strings.NewReplacer("{d}", fmt.Sprint(t.Day()), "{month}", months[t.Month()-1], "{y}", fmt.Sprint(t.Year())).Replace(texts["date"])
}

// amountIn writes an amount with its currency, in a language.
func amountIn(minor int64, currency string, texts map[string]string) string {
	places, _ := money.Exponent(currency)
	return strings.Replace(money.FormatFixed(minor, places), ".", texts["decimal"], 1) + " " + currency
}
