package pay

import (
	"unicode"
)

// view is what the templates read: sentences, and nothing left to compute.
type view struct {
	State      State
	Lang       string
	Title      string // of the document
	Heading    string
	Stylesheet string
	TestMode   bool
	Seller     string
	Initial    string // of the name on the badge: the seller, or the lender where no seller may be shown
	Lender     Lender
	Tone       string // ok, wait, stop or info: colour and sign beside the heading
	Alert      bool   // a failure, told at once by screen readers
	Lead       []string
	Offer      *offerView
	Summary    *summaryView
	Reason     string
	SoftCheck  bool
	Steps      []nextStep
	Tasks      []taskView
	Upload     *uploadView
	Received   []string
	Details    []row
	Schedule   []row
	RequestID  string
	Primary    *action
	Secondary  *action
}

// row is a term and its value; Strong marks what the eye should find first.
type row struct {
	Term, Value string
	Strong      bool
}

type action struct {
	Text, URL string
}

type taskView struct {
	Text, State, StateText, URL string
}

type summaryView struct {
	Reference, PONumber string
	First, More         []itemView
	MoreText            string
	Tax, Total          string
}

type itemView struct {
	Description, Quantity, Total string
}

// itemsShown is how many items of an order are seen without opening the rest.
const itemsShown = 5

func newView(w *words, p Page) *view {
	v := &view{
		State: p.State, Lang: w.locale.tag, TestMode: p.TestMode, Lender: p.Lender,
		Seller: p.Seller.Name, Initial: initial(p.Seller.Name), Tone: tone(p),
	}
	v.Heading = w.heading(p)
	if p.Order != nil && p.State != UnknownLink {
		v.Summary = w.summary(*p.Order)
	}
	if p.State == UnknownLink {
		v.Seller, v.Initial = "", initial(p.Lender.Name)
	}
	if p.State == Offered {
		v.Offer = w.offer(p)
	} else {
		w.notice(v, p)
	}
	owner := v.Seller
	if owner == "" {
		owner = p.Lender.Name
	}
	v.Title = w.text("title", "step", v.Heading, "seller", owner)
	if v.Offer != nil && len(v.Offer.Problems) > 0 || v.Upload != nil && len(v.Upload.Problems) > 0 {
		v.Title = w.text("error_prefix", "title", v.Title)
	}
	return v
}

// heading is the h1 of a state.
func (w *words) heading(p Page) string {
	if p.State == AlreadyConfirmed && p.Result.Status == string(Rejected) {
		return w.text("already_confirmed.rejected_title")
	}
	return w.text(string(p.State) + ".title")
}

// tone is the colour and the sign of a state. Colour never stands alone: the heading says the same.
func tone(p Page) string {
	switch p.State {
	case Accepted:
		return "ok"
	case AlreadyConfirmed:
		switch p.Result.Status {
		case string(PendingReview), string(ActionRequired), string(PendingPayment):
			return "wait"
		case string(Rejected):
			return "stop"
		}
		return "ok"
	case PendingReview, PendingPayment, ActionRequired:
		return "wait"
	case Rejected, Failure:
		return "stop"
	}
	return "info"
}

// initial is the first letter or digit of a name, for the badge; "•" when it has none.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}

func (w *words) summary(o Order) *summaryView {
	s := &summaryView{Reference: o.Reference, PONumber: o.PONumber, Total: w.locale.amount(o.Total, o.Currency)}
	if o.Tax > 0 {
		s.Tax = w.locale.amount(o.Tax, o.Currency)
	}
	for i, item := range o.Items {
		line := itemView{Description: item.Description, Total: w.locale.amount(item.Total, o.Currency)}
		if item.Quantity != "" && item.Quantity != "1" {
			line.Quantity = w.text("summary.quantity", "quantity", item.Quantity)
		}
		if i < itemsShown {
			s.First = append(s.First, line)
		} else {
			s.More = append(s.More, line)
		}
	}
	if len(s.More) > 0 {
		s.MoreText = w.count("summary.more", len(s.More))
	}
	return s
}
