package repayment

import (
	"cmp"
	"slices"
	"strings"

	"tradecredit/internal/bankfile"
)

// Item is one payment of an account statement. Amounts are in minor units.
type Item struct {
	// Account is the lender's, as it is known at the bank; Key is what identifies the
	// payment on it.
	Account, Key string
	Credit       bool
	// Reversal is set when it takes an earlier payment back.
	Reversal bool
	Currency string
	Amount   int64
	// Booked is the booking date, such as 2026-11-20.
	Booked string
	// Payer is whoever stands on the other side.
	Payer bankfile.Account
	// Text is all that the payer has written, the structured reference included.
	Text          string
	EndToEndID    string
	BankReference string
	// Code and Reason say why the payment was returned.
	Code, Reason string
}

// Debt is a deferred payment that an item may be for.
type Debt struct {
	MerchantID, PaymentID, Number string
	OrganisationID, Currency      string
	// Outstanding is what the buyer is expected to pay for what was captured,
	// Waiting what it may still come to owe.
	Outstanding, Waiting int64
	// Named is set when the item names its number, Known when the payer is known to
	// be the buyer by its account or its name.
	Named, Known bool
}

// Share is the part of an item that is for one debt.
type Share struct {
	MerchantID string `json:"merchant"`
	PaymentID  string `json:"deferred_payment"`
	Amount     int64  `json:"amount"`
}

// Suggestion is a debt that an item may be for, with the reason.
type Suggestion struct {
	MerchantID  string `json:"merchant"`
	PaymentID   string `json:"deferred_payment"`
	Number      string `json:"number"`
	Outstanding int64  `json:"outstanding"`
	Currency    string `json:"currency"`
	Why         string `json:"why"`
	// rank orders suggestions, the best first.
	rank int
}

// Match decides what an incoming item is for. shares are empty unless that is
// certain: the item names one payment that exists, or several that it pays
// exactly, or it comes from a known buyer who has one open debt of exactly this
// amount. Otherwise suggestions has what it might be for, the likeliest first.
func Match(item Item, debts []Debt) (shares []Share, suggestions []Suggestion) {
	var named, exact []Debt
	for _, d := range debts {
		if d.Currency != item.Currency {
			continue
		}
		if d.Named {
			named = append(named, d)
		}
		if d.Known && d.Outstanding == item.Amount && item.Amount > 0 {
			exact = append(exact, d)
		}
	}
	switch {
	case item.Amount <= 0:
	case len(named) == 1:
		return []Share{{named[0].MerchantID, named[0].PaymentID, item.Amount}}, nil
	case len(named) > 1:
		if shares := exactly(item.Amount, named); shares != nil {
			return shares, nil
		}
	case len(exact) == 1:
		return []Share{{exact[0].MerchantID, exact[0].PaymentID, item.Amount}}, nil
	}
	return nil, suggest(item, debts)
}

// exactly spreads an amount over debts that it pays without a rest.
func exactly(amount int64, debts []Debt) (out []Share) {
	for _, d := range debts {
		if d.Outstanding <= 0 {
			return nil
		}
		out = append(out, Share{d.MerchantID, d.PaymentID, d.Outstanding})
		amount -= d.Outstanding
	}
	if amount != 0 {
		return nil
	}
	return out
}

// mostSuggestions bounds what an operator is shown.
const mostSuggestions = 10

func suggest(item Item, debts []Debt) []Suggestion {
	out := []Suggestion{}
	for _, d := range debts {
		s := Suggestion{MerchantID: d.MerchantID, PaymentID: d.PaymentID, Number: d.Number, Outstanding: d.Outstanding, Currency: d.Currency}
		switch same := d.Currency == item.Currency; {
		case d.Named && same:
			s.Why, s.rank = "the transfer names it", 0
		case d.Named:
			s.Why, s.rank = "the transfer names it, in another currency", 1
		case !same || d.Outstanding == 0:
			continue
		case d.Outstanding == item.Amount:
			s.Why, s.rank = "the payer owes exactly this", 2
		case d.Outstanding > item.Amount:
			s.Why, s.rank = "the payer owes more", 3
		default:
			s.Why, s.rank = "the payer owes less", 4
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Number, b.Number))
	})
	return out[:min(len(out), mostSuggestions)]
}

// numberLetters are the characters of numbers for people.
const numberLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// NumbersIn are the numbers of deferred payments that a text may name: a P and
// eight of the characters of numbers, whatever spaces, dashes and lower case
// letters banks and people have made of it. Which of them exist is for the caller
// to find out.
func NumbersIn(text string) (out []string) {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, text)
	for i := 0; i+9 <= len(plain); i++ {
		body := plain[i+1 : i+9]
		if plain[i] != 'P' || strings.Trim(body, numberLetters) != "" {
			continue
		}
		if number := "P-" + body[:4] + "-" + body[4:]; !slices.Contains(out, number) {
			out = append(out, number)
		}
	}
	return out
}

// legalForms end the names of companies in one way or another, and say nothing
// about who it is.
var legalForms = []string{
	"LTD", "LIMITED", "PLC", "LLP", "GMBH", "AG", "UG", "KG", "OHG", "SA", "SAS", "SASU", "SARL", "EURL", "SL", "SLU", "SPA", "SRL", "BV", "NV", "INC", "CO",
}

// PayerKeys are the keys under which a payer is remembered: its account, and its
// name without spelling and legal form.
func PayerKeys(a bankfile.Account) (out []string) {
	a = a.Normalise()
	switch {
	case a.IBAN != "":
		out = append(out, "account:"+a.IBAN)
	case a.SortCode != "" && a.AccountNumber != "":
		out = append(out, "account:"+a.SortCode+a.AccountNumber)
	}
	words := strings.FieldsFunc(strings.ToUpper(bankfile.SEPAText(strings.ReplaceAll(a.Name, ".", ""), 200)), func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	for len(words) > 1 && slices.Contains(legalForms, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	if len(words) > 0 {
		out = append(out, "name:"+strings.Join(words, " "))
	}
	return out
}
