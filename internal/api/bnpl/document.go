package bnpl

import (
	"fmt"
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/document"
	"tradecredit/internal/form"
	"tradecredit/internal/order"
	"tradecredit/internal/page"
)

// OrderDocument is a document of an order, as the API shows it.
type OrderDocument struct {
	ID          string  `json:"id" doc:"API unique identifier of the order document"`
	Order       string  `json:"order" doc:"API identifier of the linked order"`
	DocType     string  `json:"doc_type" doc:"Type of document: invoice, credit_note, purchase_order, shipping or other"`
	Description string  `json:"description" doc:"Description of the document"`
	Amount      *int64  `json:"amount" doc:"Value of the document in minor units; null when none was given"`
	Metadata    api.Raw `json:"metadata" doc:"What was sent with the document, unchanged"`
	File        string  `json:"file" doc:"Link to the file. It expires; ask for the document again to get another one"`
}

func (a *API) documentObject(c *api.Call, d document.Document) OrderDocument {
	return OrderDocument{
		ID: d.ID, Order: d.OrderID, DocType: d.Type, Description: d.Description, Amount: d.Amount, Metadata: api.Raw(d.Metadata),
		File: c.URL(a.DocumentLinks.Path(d)),
	}
}

var documentForm = form.New("OrderDocument",
	form.File("file", form.Max(maxText), form.Doc("The file: a PDF, an image, plain text, CSV, XML or an Office document. Its content decides, not its name."),
		form.Example("%PDF-1.7 …")),
	form.Choice("doc_type", document.Types(), form.Default(document.TypeOther), form.Doc("Type of document. An `invoice` lets the order be paid out.")),
	form.Char("description", form.Optional(), form.Blank(), form.Max(2000), form.Doc("Description of the document.")),
	form.Integer("amount", form.Optional(), form.Null(), form.Doc("Value of the document in minor units."), form.Example(10000)),
	metadataField("metadata"),
)

const documentTag = "Order documents"

func (a *API) documentRoutes() []api.Route {
	const collection, item = "/v1/payment/orders/{order}/documents", "/v1/payment/orders/{order}/documents/{document}"
	return []api.Route{
		{
			Method: http.MethodPost, Path: collection, Tag: documentTag, Summary: "Create an order document",
			Doc: "Takes `multipart/form-data`. The order is paid out once there is a document of the type `invoice`." +
				" With an `Idempotency-Key`, a repeated request with the same fields and the same file gets the first answer.",
			Body: documentForm, Files: a.Documents, Before: orderExists, Response: OrderDocument{}, Status: http.StatusCreated,
			Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge}, Write: a.createDocument,
		},
		{
			Method: http.MethodGet, Path: collection, Tag: documentTag, Summary: "List the documents of an order",
			Query:    []api.Param{{Name: "ordering", Doc: "`created` or `-created`, the default."}},
			Response: page.List[OrderDocument]{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Read: a.listDocuments,
		},
		{
			Method: http.MethodGet, Path: item, Tag: documentTag, Summary: "View an order document",
			Response: OrderDocument{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Read: a.viewDocument,
		},
	}
}

// orderExists is a 404 for an order that the merchant does not have.
func orderExists(c *api.Call, tx *db.Tx) error {
	found, err := order.Exists(c, tx, c.Merchant.ID, c.Path("order"))
	if err == nil && !found {
		err = db.ErrNoRows
	}
	return err
}

func (a *API) createDocument(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	in := document.Details{
		Type: v.String("doc_type"), Description: v.String("description"), Amount: v.IntPtr("amount"), Metadata: metadataOf(v),
	}
	d, err := a.Documents.Create(c, tx, c.Merchant.ID, c.Path("order"), in, document.Stored(v.File("file")), c.Now)
	if err != nil {
		return nil, fmt.Errorf("the document of an order: %w", err)
	}
	return api.Created(a.documentObject(c, d)), nil
}

func (a *API) listDocuments(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := orderExists(c, tx); err != nil {
		return nil, err
	}
	p := c.Page()
	found, count, err := document.List(c, tx, c.Merchant.ID, c.Path("order"), p)
	if err != nil {
		return nil, err
	}
	objects := make([]OrderDocument, len(found))
	for i, d := range found {
		objects[i] = a.documentObject(c, d)
	}
	return api.OK(page.New(c.Request, p, count, objects)), nil
}

func (a *API) viewDocument(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := orderExists(c, tx); err != nil {
		return nil, err
	}
	d, err := document.Get(c, tx, c.Merchant.ID, c.Path("order"), c.Path("document"))
	if err != nil {
		return nil, err
	}
	return api.OK(a.documentObject(c, d)), nil
}
