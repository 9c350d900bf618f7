package bnpl

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/order"
	"tradecredit/internal/page"
	"tradecredit/internal/payout"
)

// Payout is a payment that was made to the merchant. Amounts are in minor units.
type Payout struct {
	URL                   string             `json:"url" doc:"API endpoint to access the payout"`
	ID                    string             `json:"id" doc:"API unique identifier of the payout"`
	PayoutReferenceID     string             `json:"payout_reference_id" doc:"Appears on your bank statement" example:"TC-7WR2-PR6S"`
	PayoutDate            string             `json:"payout_date" doc:"Date on which the payout was made" example:"2026-11-26"`
	AmountFromPayoutItems int64              `json:"amount_from_payout_items" doc:"Total of all items that were due, before fees, in minor units; what is withheld included"`
	AmountFromAdjustments int64              `json:"amount_from_adjustments" doc:"Total of the adjustments, in minor units"`
	Fees                  int64              `json:"fees" doc:"Total of the fees of the items that are paid, in minor units"`
	Type                  string             `json:"type" enum:"net_of_fees,gross_of_fees" doc:"Whether fees are taken off payouts"`
	Amount                int64              `json:"amount" doc:"Amount paid, in minor units: amount_from_payout_items + amount_from_adjustments - fees (net of fees only) - withheld_amount"`
	Currency              string             `json:"currency"`
	MinBalance            PayoutMinimum      `json:"min_balance" doc:"The minimum account balance when the payout was made"`
	Items                 []PayoutItem       `json:"items" doc:"The items that are paid"`
	Adjustments           []PayoutAdjustment `json:"adjustments"`
}

// PayoutMinimum is the balance that was to be kept, in minor units.
type PayoutMinimum struct {
	Fixed          int64 `json:"fixed" doc:"Fixed minimum, in minor units"`
	Relative       int64 `json:"relative" doc:"Your percentage of unpaid orders, in minor units"`
	Actual         int64 `json:"actual" doc:"The larger one of both"`
	WithheldAmount int64 `json:"withheld_amount" doc:"Total of the items that were left for a later payout, in minor units"`
}

// PayoutItem is what a change of an order adds to payouts. Amounts are in minor
// units.
type PayoutItem struct {
	URL                string  `json:"url" doc:"API endpoint to access the payout item"`
	ID                 string  `json:"id" doc:"API unique identifier of the payout item"`
	Type               string  `json:"type" enum:"fulfillment,cancellation,return,discount,reversal,settlement,chargeback,other" doc:"What happened to the order"`
	Payout             *string `json:"payout" doc:"Identifier of the payout; null before the item is paid"`
	DeferredPayment    any     `json:"deferred_payment" ref:"defpay" doc:"Identifier of the deferred payment; the deferred payment itself when expanded"`
	Order              any     `json:"order" ref:"order" doc:"Identifier of the order; the order itself when expanded"`
	Status             string  `json:"status" enum:"scheduled,paid,awaiting_document" doc:"Items wait for the order's invoice as awaiting_document"`
	CreationDate       string  `json:"creation_date" example:"2026-11-20"`
	EarliestPayoutDate string  `json:"earliest_payout_date" doc:"Earliest possible date on which the item is paid" example:"2026-11-26"`
	ActualPayoutDate   *string `json:"actual_payout_date" doc:"Date on which the item was paid; null before"`
	Amount             int64   `json:"amount" doc:"Before fees, in minor units"`
	Fees               int64   `json:"fees" doc:"In minor units"`
	AmountNetOfFees    int64   `json:"amount_net_of_fees" doc:"In minor units"`
	Currency           string  `json:"currency"`
}

// PayoutAdjustment raises or lowers a payout. Amounts are in minor units.
type PayoutAdjustment struct {
	ID        string `json:"id" doc:"API identifier of the adjustment"`
	Type      string `json:"type" enum:"balancing_item,minimum_fee,credit_review_fee,balance_carried_to_next_payout,balance_carried_from_last_payout,fee_discount,fx_fee,other"`
	NetAmount int64  `json:"net_amount" doc:"Without tax, in minor units"`
	TaxRate   string `json:"tax_rate" doc:"In percent" example:"19.50"`
	Amount    int64  `json:"amount" doc:"With tax, in minor units"`
	Currency  string `json:"currency"`
}

// payoutRoutes is the table of payouts and their items.
func (a *API) payoutRoutes() []api.Route {
	const path, items, tag = "/v1/payment/payouts", "/v1/payment/payout_items", "Payouts"
	expand := []string{"order", "deferred_payment"}
	between := []api.Param{
		{Name: "start_date", Doc: "Only payouts made on or after this date."},
		{Name: "end_date", Doc: "Only payouts made on or before this date."},
	}
	routes := []api.Route{
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "List payouts",
			Query:    append([]api.Param{{Name: "payout_reference_id", Doc: "Only the payout with this reference."}, createdOrdering}, between...),
			Response: page.List[Payout]{}, Status: 200, Errors: []int{400}, Read: a.listPayouts,
		},
		{
			Method: http.MethodGet, Path: path + "/{payout}", Tag: tag, Summary: "View a payout",
			Response: Payout{}, Status: 200, Errors: []int{404}, Read: a.viewPayout,
		},
		{
			Method: http.MethodGet, Path: items, Tag: tag, Summary: "List payout items", Expand: expand,
			Doc: "With a date only items that were paid are listed.",
			Query: append([]api.Param{
				{Name: "order_id", Doc: "Only those of the order with this identifier."},
				{Name: "order_unique_id", Doc: "Only those of the order with your identifier."}, createdOrdering,
			}, between...),
			Response: page.List[PayoutItem]{}, Status: 200, Errors: []int{400}, Read: a.listPayoutItems,
		},
		{
			Method: http.MethodGet, Path: items + "/{payout_item}", Tag: tag, Summary: "View a payout item", Expand: expand,
			Response: PayoutItem{}, Status: 200, Errors: []int{404}, Read: a.viewPayoutItem,
		},
	}
	for _, s := range []struct {
		name, summary, contentType string
		write                      func(ctx context.Context, tx *db.Tx, p payout.Payout, w io.Writer) error
	}{
		{"csv", "Download a payout as CSV", "text/csv", payout.WriteCSV},
		{"xlsx", "Download a payout for Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", payout.WriteExcel},
	} {
		routes = append(routes, api.Route{
			Method: http.MethodGet, Path: path + "/{payout}/export." + s.name, Tag: tag, Summary: s.summary,
			Doc:         "One row for each item and adjustment, amounts in minor units, with your order identifiers and the metadata of the post-sale events.",
			ContentType: s.contentType, Status: 200, Errors: []int{404},
			Serve: func(c *api.Call) (*api.Answer, error) { return a.exportPayout(c, s.name, s.contentType, s.write) },
		})
	}
	return routes
}

// payoutRange reads the dates of a list.
func payoutRange(c *api.Call) (r payout.Range, err error) {
	bad := &form.Errors{}
	for _, bound := range []struct {
		name string
		day  *time.Time
	}{{"start_date", &r.From}, {"end_date", &r.To}} {
		text := c.Query(bound.name)
		if text == "" {
			continue
		}
		day, ok := filterDate(text)
		if !ok {
			bad.Add(bound.name, "Enter a valid date.")
		}
		*bound.day = day
	}
	if !bad.Empty() {
		err = apierr.Invalid(bad)
	}
	return r, err
}

// filterDate reads a date in a query, also as Americans write it.
func filterDate(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-1-2", "1/2/2006", "1/2/06"} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() > 0 {
			return day, true
		}
	}
	return time.Time{}, false
}

func (a *API) listPayouts(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	r, err := payoutRange(c)
	if err != nil {
		return nil, err
	}
	reference, err := filterText(c, "payout_reference_id")
	if err != nil {
		return nil, err
	}
	found, n, err := payout.List(c, tx, c.Merchant.ID, r, reference, p)
	if err != nil {
		return nil, err
	}
	out, err := a.showPayouts(a.view(c), tx, found)
	return api.OK(page.New(c.Request, p, n, out)), err
}

// filterText reads a filter that is compared with a text.
func filterText(c *api.Call, name string) (string, error) {
	if c.QueryHasNull(name) {
		return "", apierr.Field(name, "Null characters are not allowed.")
	}
	return c.Query(name), nil
}

func (a *API) viewPayout(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p, err := shownPayout(c, tx)
	if err != nil {
		return nil, err
	}
	out, err := a.showPayouts(a.view(c), tx, []payout.Payout{p})
	if err != nil {
		return nil, err
	}
	return api.OK(out[0]), nil
}

// shownPayout is the payout of the path, unless it was not made yet.
func shownPayout(c *api.Call, tx *db.Tx) (payout.Payout, error) {
	p, err := payout.Get(c, tx, c.Merchant.ID, c.Path("payout"))
	if err == nil && !p.Shown() {
		err = db.ErrNoRows
	}
	return p, err
}

func (a *API) exportPayout(c *api.Call, kind, contentType string, write func(context.Context, *db.Tx, payout.Payout, io.Writer) error) (*api.Answer, error) {
	var body bytes.Buffer
	var p payout.Payout
	err := a.DB.Read(c, func(tx *db.Tx) (err error) {
		body.Reset()
		if p, err = shownPayout(c, tx); err != nil {
			return err
		}
		return write(c, tx, p, &body)
	})
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Disposition": {`attachment; filename="` + p.Reference + "." + kind + `"`}}
	return &api.Answer{Status: http.StatusOK, ContentType: contentType, Body: body.Bytes(), Header: header}, nil
}

// showPayouts shows payouts with their parts, which are read at once.
func (a *API) showPayouts(v View, tx *db.Tx, found []payout.Payout) ([]Payout, error) {
	parts, err := payout.PartsOf(v, tx, found)
	if err != nil {
		return nil, err
	}
	tables := timetables{}
	out := make([]Payout, len(found))
	for n, p := range found {
		out[n] = Payout{
			URL: v.PublicURL + "/v1/payment/payouts/" + p.ID, ID: p.ID, PayoutReferenceID: p.Reference,
			PayoutDate: p.Date.Format(time.DateOnly), AmountFromPayoutItems: p.ItemsAmount, AmountFromAdjustments: p.AdjustmentsAmount,
			Fees: p.Fees, Type: p.Structure, Amount: p.Amount, Currency: p.Currency,
			MinBalance: PayoutMinimum{Fixed: p.Minimum.Fixed, Relative: p.Minimum.Relative, Actual: p.Minimum.Actual, WithheldAmount: p.Withheld},
			Items:      []PayoutItem{}, Adjustments: []PayoutAdjustment{},
		}
		for _, i := range parts.Items[p.ID] {
			shown, err := tables.item(v, tx, i)
			if err != nil {
				return nil, err
			}
			out[n].Items = append(out[n].Items, shown)
		}
		for _, j := range parts.Adjustments[p.ID] {
			out[n].Adjustments = append(out[n].Adjustments, PayoutAdjustment{
				ID: j.ID, Type: j.Type, NetAmount: j.NetAmount, TaxRate: j.TaxRate.String(), Amount: j.Amount, Currency: j.Currency,
			})
		}
	}
	return out, nil
}

// timetables are read once for each currency.
type timetables map[string]payout.Timetable

// item shows an item with nothing expanded.
func (t timetables) item(v View, tx *db.Tx, i payout.Item) (PayoutItem, error) {
	table, ok := t[i.Currency]
	if !ok {
		var err error
		if table, err = payout.TimetableOf(v, tx, v.Merchant, i.Currency); err != nil {
			return PayoutItem{}, err
		}
		t[i.Currency] = table
	}
	earliest := table.Earliest(i.Created)
	out := PayoutItem{
		URL: v.PublicURL + "/v1/payment/payout_items/" + i.ID, ID: i.ID, Type: i.Type, DeferredPayment: i.PaymentID, Order: i.OrderID,
		Status: i.Status(v.Merchant.Settings.InvoiceRequired), CreationDate: i.Created.Format(time.DateOnly),
		Amount: i.Amount, Fees: i.Fees, AmountNetOfFees: i.Amount - i.Fees, Currency: i.Currency,
	}
	if i.Paid() {
		paid := i.PaidOn.Format(time.DateOnly)
		out.Payout, out.ActualPayoutDate = &i.PayoutID, &paid
		if earliest.After(i.PaidOn) {
			earliest = i.PaidOn // the settings were others then
		}
	}
	out.EarliestPayoutDate = earliest.Format(time.DateOnly)
	return out, nil
}

func (a *API) listPayoutItems(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	r, err := payoutRange(c)
	if err != nil {
		return nil, err
	}
	orderID, narrowed, err := payoutOrder(c, tx)
	if err != nil {
		return nil, err
	}
	var found []payout.Item
	var n int64
	if narrowed {
		found, n, err = payout.ItemsOfOrder(c, tx, c.Merchant.ID, orderID, r, p)
	} else {
		found, n, err = payout.ListItems(c, tx, c.Merchant.ID, r, p)
	}
	if err != nil {
		return nil, err
	}
	out, err := a.expandPayoutItems(a.view(c), tx, found, c.Expand())
	return api.OK(page.New(c.Request, p, n, out)), err
}

// payoutOrder is the order that a list is narrowed to, if it is: by its identifier
// or the merchant's own. With both they must be those of one order.
func payoutOrder(c *api.Call, tx *db.Tx) (orderID string, narrowed bool, err error) {
	if orderID, err = filterText(c, "order_id"); err != nil {
		return "", false, err
	}
	unique, err := filterText(c, "order_unique_id")
	if err != nil || unique == "" {
		return orderID, orderID != "", err
	}
	o, err := order.Find(c, tx, c.Merchant.ID, unique)
	if errors.Is(err, db.ErrNoRows) || err == nil && orderID != "" && orderID != o.ID {
		return "", true, nil
	}
	return o.ID, true, err
}

func (a *API) viewPayoutItem(c *api.Call, tx *db.Tx) (*api.Response, error) {
	i, err := payout.GetItem(c, tx, c.Merchant.ID, c.Path("payout_item"))
	if err != nil {
		return nil, err
	}
	out, err := a.expandPayoutItems(a.view(c), tx, []payout.Item{i}, c.Expand())
	if err != nil {
		return nil, err
	}
	return api.OK(out[0]), nil
}

// expandPayoutItems shows items. What several of them belong to is read once.
func (a *API) expandPayoutItems(v View, tx *db.Tx, found []payout.Item, e api.Expand) ([]PayoutItem, error) {
	tables, known := timetables{}, map[string]any{}
	expand := func(objectID, name string, read func(View, *db.Tx, string, api.Expand) (any, error)) (any, error) {
		if !e.Has(name) {
			return objectID, nil
		}
		if object, ok := known[objectID]; ok {
			return object, nil
		}
		object, err := read(v, tx, objectID, e.Under(name))
		known[objectID] = object
		return object, err
	}
	out := make([]PayoutItem, len(found))
	for n, i := range found {
		var err error
		if out[n], err = tables.item(v, tx, i); err != nil {
			return nil, err
		}
		if out[n].Order, err = expand(i.OrderID, "order", a.orderByID); err != nil {
			return nil, err
		}
		if out[n].DeferredPayment, err = expand(i.PaymentID, "deferred_payment", a.deferredByID); err != nil {
			return nil, err
		}
	}
	return out, nil
}
