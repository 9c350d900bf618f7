// Package document keeps the papers around an order: the merchant's invoices,
// credit notes and shipping documents, and what buyers send when a deferred
// payment asks for more.
//
// Their files are in a blob store, everything else about them in the database. A
// file is stored first, while it arrives, and belongs to nothing until the
// transaction that writes its document commits; what never gets there is swept
// up.
package document

import (
	"slices"
	"strings"
	"time"

	"github.com/gabriel-vasile/mimetype"

	"tradecredit/internal/db"
)

// The types of order documents.
const (
	TypeInvoice       = "invoice"
	TypeCreditNote    = "credit_note"
	TypePurchaseOrder = "purchase_order"
	TypeShipping      = "shipping"
	TypeOther         = "other"
)

// Types lists the types of order documents.
func Types() []string {
	return []string{TypeInvoice, TypeCreditNote, TypePurchaseOrder, TypeShipping, TypeOther}
}

// The kinds of documents that a buyer sends.
const (
	KindIdentity      = "identity"
	KindBankStatement = "bank_statement"
	KindOther         = "other"
)

// Kinds lists the kinds of documents that a buyer sends.
func Kinds() []string { return []string{KindIdentity, KindBankStatement, KindOther} }

// File is a stored file.
type File struct {
	// Name is what the sender calls it, without folders.
	Name string
	// ContentType is what its content says it is.
	ContentType string
	// Size is in bytes, SHA256 in hex.
	Size   int64
	SHA256 string
	// Key is where the blob store has it.
	Key string
}

// Details is what a merchant says about an order document.
type Details struct {
	Type        string
	Description string
	// Amount is the value in minor units; nil when none was given.
	Amount *int64
	// Metadata is the merchant's own JSON.
	Metadata []byte
}

// Document is a document of an order.
type Document struct {
	MerchantID string
	ID         string
	OrderID    string
	Details
	File    File
	Created time.Time
}

// snapshot is a document in the feed of events: without a link, which would
// expire.
func (d Document) snapshot() ([]byte, error) {
	return db.JSON(struct {
		ID          string `json:"id"`
		Order       string `json:"order"`
		Type        string `json:"doc_type"`
		Description string `json:"description"`
		Amount      *int64 `json:"amount"`
		Metadata    raw    `json:"metadata"`
		Filename    string `json:"filename"`
		ContentType string `json:"content_type"`
		Size        int64  `json:"size"`
		SHA256      string `json:"sha256"`
	}{
		d.ID, d.OrderID, d.Type, d.Description, d.Amount, d.Metadata,
		d.File.Name, d.File.ContentType, d.File.Size, d.File.SHA256,
	})
}

// raw is JSON already.
type raw []byte

// MarshalJSON implements json.Marshaler.
func (r raw) MarshalJSON() ([]byte, error) { return r, nil }

// BuyerDocument is what a buyer sent for a deferred payment.
type BuyerDocument struct {
	MerchantID        string
	ID                string
	DeferredPaymentID string
	Kind              string
	File              File
	Created           time.Time
}

// sniffed is how much of a file is looked at to find out what it is, in bytes.
// Office documents are archives, and name what they are behind their first
// files.
const sniffed = 32 << 10

// accepted are the types of content that are stored: what people keep papers in,
// and nothing that runs when it is opened in a browser.
var accepted = []string{
	"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff",
	"image/heic", "image/heic-sequence", "image/heif", "image/heif-sequence",
	"text/plain", "text/csv", "text/tab-separated-values", "text/xml", "text/rtf",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
	"application/vnd.oasis.opendocument.presentation",
}

// contentType finds out from its beginning what a file is, whatever its name
// says, and whether that is accepted.
func contentType(head []byte) (kind string, ok bool) {
	kind = mimetype.Detect(head).String()
	bare, _, _ := strings.Cut(kind, ";")
	return kind, slices.Contains(accepted, bare)
}

// refusal tells the sender of a file that it is not accepted.
func refusal(kind string) string {
	kind, _, _ = strings.Cut(kind, ";")
	return "Files of the type " + kind + " are not accepted. Send a PDF, an image, plain text, CSV, XML or an Office document."
}
