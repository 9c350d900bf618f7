package pay

import (
	"maps"
	"strings"
	"time"
)

// Fixtures answers one page per state, and some more for forms the states can take; the key names it. Tests, the
// kit pages and the pictures of the README are made from them.
func Fixtures() map[string]Page {
	all := map[string]Page{
		"offered":        fixtureOffered(),
		"offered-single": fixtureSingle(),
		"offered-errors": fixtureErrors(),
		"partly-offered": fixturePartlyOffered(),
		"offered-long":   fixtureLong(),
	}
	maps.Copy(all, fixtureRefusals())
	maps.Copy(all, fixtureOutdated())
	maps.Copy(all, fixtureResults())
	return all
}

func fixtureBase(state State) Page {
	return Page{
		State: state, Locale: "en-gb", TestMode: true,
		Now:    time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC),
		Seller: Seller{Name: "Brightwell Trade Supplies"},
		Lender: Lender{
			Name: "Tradecredit", HelpEmail: "help@tradecredit.example", HelpPhone: "020 7946 0018",
			TermsURL: "https://tradecredit.example/terms", PrivacyURL: "https://tradecredit.example/privacy",
			ComplaintsURL: "https://tradecredit.example/complaints",
		},
		Company: "Oakfield Joinery Ltd",
		Order: &Order{
			Reference: "BT-20417", PONumber: "PO 7781", Currency: "GBP", Total: 300000, Tax: 50000,
			Delivery: "Unit 4, Mill Lane, Leeds LS11 9XE",
			Items: []Item{
				{Description: "Oak worktop 40 mm, 3 m", Quantity: "4", Total: 148000},
				{Description: "Soft-close drawer runner 500 mm, pair", Quantity: "40", Total: 62000},
				{Description: "Hinge 110°, clip-on", Quantity: "120", Total: 37200},
				{Description: "Wood glue D4, 5 kg", Quantity: "6", Total: 31800},
				{Description: "Delivery", Quantity: "1", Total: 26000},
				{Description: "Abrasive discs P120, box of 100", Quantity: "3", Total: 10000},
				{Description: "Trade discount", Quantity: "1", Total: -15000},
			},
		},
		Links: Links{
			Self:    "/plans/ppln-4bGqWk3yZ8vR2mXcT7nHpL",
			Success: "https://shop.example/ok", Failure: "https://shop.example/pay", Cancel: "https://shop.example/basket",
			MerchantTerms: "https://shop.example/terms",
		},
	}
}

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// fixturePlans are the plans a sandbox merchant starts with, for an order of £3,000.00 on 16 November 2026.
func fixturePlans() []Plan {
	all := []Method{Invoice, DirectDebit, Card}
	valid := time.Date(2026, 11, 17, 10, 0, 0, 0, time.UTC)
	month := func(n int, date time.Time) Instalment {
		return Instalment{Date: date, Amount: 75000, EndOfMonths: &n}
	}
	days := func(n int, date time.Time, amount int64) Instalment {
		return Instalment{Date: date, Amount: amount, AfterDays: &n}
	}
	return []Plan{
		{ID: "ppln-4bGqWk3yZ8vR2mXcT7nHpL", RelativeTo: OrderCreation, Methods: all, ValidUntil: valid,
			Instalments: []Instalment{days(30, day(2026, 12, 16), 300000)}},
		{ID: "ppln-5cHrXm4zA9wS3nYdV8pJqM", RelativeTo: OrderCreation, Methods: all, ValidUntil: valid,
			Fee: 3600, FeePercent: "1.20", Instalments: []Instalment{days(60, day(2027, 1, 15), 303600)}},
		{ID: "ppln-6dJsYn5BB2xT4pZeW9qKrN", RelativeTo: OrderCreation, Methods: []Method{Card, DirectDebit}, ValidUntil: valid,
			Instalments: []Instalment{{Date: day(2026, 11, 16), Amount: 90000, Upfront: true}, days(30, day(2026, 12, 16), 210000)}},
		{ID: "ppln-7eKtZp6CC3yU5qAfX2rLsP", RelativeTo: OrderCreation, Methods: []Method{DirectDebit}, ValidUntil: valid,
			Instalments: []Instalment{month(0, day(2026, 11, 30)), month(1, day(2026, 12, 31)), month(2, day(2027, 1, 31)), month(3, day(2027, 2, 28))}},
	}
}

func fixtureOffered() Page {
	p := fixtureBase(Offered)
	p.Plans = fixturePlans()
	p.Form = Form{Attempt: "kit-attempt", Input: Input{Plan: p.Plans[0].ID}}
	return p
}

func fixtureSingle() Page {
	p := fixtureBase(Offered)
	n := 30
	p.Plans = []Plan{{ID: "ppln-8fLuAq7DD4zV6rBgY3sMtQ", RelativeTo: FirstCapture, Methods: []Method{Invoice},
		Discount: 6000, DiscountPercent: "2.00", ValidUntil: time.Date(2026, 11, 16, 10, 8, 0, 0, time.UTC),
		Instalments: []Instalment{{Date: day(2026, 12, 16), Amount: 294000, AfterDays: &n}}}}
	p.Form.Attempt = "kit-attempt"
	p.TestMode = false
	p.Links.MerchantTerms = ""
	return p
}

func fixtureErrors() Page {
	p := fixtureOffered()
	p.Form.Input = Input{Plan: p.Plans[1].ID}
	p.Form.Problems = []Problem{MethodMissing, TermsMissing}
	return p
}

func fixturePartlyOffered() Page {
	p := fixtureOffered()
	p.Plans[1].Declined = &Reason{Code: "buyer-limit", Detail: "not shown"}
	p.Plans[3].Declined = &Reason{Code: "buyer-high-risk", Detail: "not shown"}
	return p
}

// fixtureLong has names without a place to break and amounts as long as they come.
func fixtureLong() Page {
	p := fixturePartlyOffered()
	word := strings.Repeat("Donaudampfschiffahrt", 4)
	p.Seller.Name, p.Company, p.Order.Delivery = word+" & Söhne", word+" GmbH", word+" 1"
	p.Order.Reference, p.Order.PONumber, p.Order.Currency = word, word, "XOF"
	p.Order.Total, p.Order.Tax = 123456789012345, 12345678901234
	for i := range p.Order.Items {
		p.Order.Items[i] = Item{Description: word, Quantity: "1234567.123", Total: 12345678901234}
	}
	for i := range p.Plans {
		for j := range p.Plans[i].Instalments {
			p.Plans[i].Instalments[j].Amount = 12345678901234
		}
	}
	p.Plans[0].Title = word
	p.Lender.HelpEmail = strings.ToLower(word) + "@tradecredit.example"
	return p
}

func fixtureRefusals() map[string]Page {
	country := fixtureBase(Declined)
	country.Reason = &Reason{Code: "buyer-country", Params: map[string]string{"debtor_country": "Ireland"}}
	risk := fixtureBase(Declined)
	risk.Reason = &Reason{Code: "buyer-uncreditworthy", Detail: "We are unable to verify the creditworthiness."}
	risk.SoftCheck = true
	limit := fixtureBase(Declined)
	limit.Reason = &Reason{Code: "buyer-limit"}
	limit.NextSteps = []string{"pay_overdue_deferred_payments", "provide_bank_statements", "submit_credit_review"}
	rejected := fixtureBase(Rejected)
	rejected.Reason = &Reason{Code: "fraud", Detail: "Device seen with other companies."}
	return map[string]Page{"declined": country, "declined-risk": risk, "declined-limit": limit, "rejected": rejected}
}

func fixtureOutdated() map[string]Page {
	expired := fixtureBase(Expired)
	reoffered := fixtureBase(Expired)
	reoffered.Links.NewOffer = "https://shop.example/offer"
	changed := fixtureBase(OrderChanged)
	changed.Order.Total = 280000
	changed.Change = &OrderChange{OldTotal: 300000, NewTotal: 280000}
	changed.Links.NewOffer = "/plans/ppln-5cHrXm4zA9wS3nYdV8pJqM"
	failure := fixtureBase(Failure)
	failure.RequestID = "req-01JCTW5B7M"
	unknown := Page{State: UnknownLink, Lender: fixtureBase(UnknownLink).Lender}
	return map[string]Page{
		"expired": expired, "expired-reoffered": reoffered, "cancelled": fixtureBase(Cancelled),
		"order-changed": changed, "failure": failure, "unknown-link": unknown,
	}
}

func fixtureResults() map[string]Page {
	result := func(state State, plan int) Page {
		p := fixtureBase(state)
		p.Result = &Result{Status: string(state), Number: "P-7WR2-PR0S", Plan: &fixturePlans()[plan], Method: DirectDebit, Email: "jane@oakfield.example"}
		return p
	}
	accepted := result(Accepted, 0)
	accepted.Result.Method = Invoice
	required := result(ActionRequired, 0)
	required.Result.Tasks = []Task{
		{Kind: "bank_statements", State: TaskToDo, URL: "/actions/1"}, {Kind: "proof_of_identity", State: TaskSent}, {Kind: "company_details", State: TaskAccepted},
	}
	upload := result(ActionRequired, 0)
	upload.Upload = &Upload{Attempt: "kit-attempt", Kinds: []string{"identity", "bank_statement", "other"}, MaxMB: 25}
	problems := result(ActionRequired, 0)
	problems.Upload = &Upload{Attempt: "kit-attempt", Kinds: upload.Upload.Kinds, MaxMB: 25, Problems: []UploadProblem{
		{Problem: FileType, Kind: "identity", File: "passport.exe"}, {Problem: FileSize, Kind: "identity", File: strings.Repeat("film", 30) + ".pdf"},
		{Problem: UploadInvalid},
	}}
	received := result(PendingReview, 0)
	received.Received = []string{"passport.pdf", strings.Repeat("statement", 12) + ".pdf"}
	payment := result(PendingPayment, 2)
	payment.Result.Transfer = &Transfer{Amount: 90000, AccountName: "Tradecredit Client Account", SortCode: "20-00-00", AccountNumber: "55779911", Reference: "P-7WR2-PR0S"}
	confirmed := result(AlreadyConfirmed, 3)
	confirmed.Result.Status = string(Accepted)
	reviewed := result(AlreadyConfirmed, 3)
	reviewed.Result.Status = string(PendingReview)
	return map[string]Page{
		"accepted": accepted, "accepted-upfront": result(Accepted, 2), "pending-review": result(PendingReview, 0),
		"customer-action-upload": upload, "customer-action-upload-errors": problems, "pending-review-received": received,
		"customer-action-required": required, "pending-payment": payment,
		"already-confirmed": confirmed, "already-confirmed-pending": reviewed,
	}
}
