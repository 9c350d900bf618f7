package checkout

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/document"
	"tradecredit/internal/form"
	"tradecredit/internal/web/pay"
)

// The bounds of what a buyer sends at once: the number of files and all their
// bytes.
const (
	maxFiles  = 20
	maxUpload = 100 << 20
)

// clearing bounds how long files that are not taken are cleared away.
const clearing = 10 * time.Second

// isUpload tells whether a form carries files.
func isUpload(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "multipart/form-data" && err == nil
}

// upload is what a buyer sent.
type upload struct {
	attempt  string
	files    []received
	problems []pay.UploadProblem
}

type received struct {
	kind string
	*form.Upload
}

// wanted tells whether the payment waits for documents of the buyer.
func (s subject) wanted() bool {
	return s.payment != nil && s.takenHere() && s.payment.Status == deferred.StatusCustomerActionRequired
}

// uploadForm is the form for documents; nil when none are wanted.
func (h *Handler) uploadForm(s subject, planID string, problems []pay.UploadProblem) *pay.Upload {
	if !s.wanted() {
		return nil
	}
	return &pay.Upload{
		Attempt: h.attempt(planID), Kinds: s.asked, MaxMB: h.Documents.MaxFile() >> 20, Problems: problems,
	}
}

// receive takes the documents that a payment waits for, and puts it under review
// again. Sent again it finds that nothing is wanted any more.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, planID string) error {
	var s subject
	err := h.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		s, err = h.load(r, tx, planID)
		return err
	})
	if err != nil {
		return err
	}
	if !s.wanted() {
		return h.backTo(w, r, s, planID)
	}
	var up upload
	taken := false
	defer func() {
		if !taken {
			h.drop(r.Context(), up.files)
		}
	}()
	err = h.read(w, r, &up)
	var bad *form.ParseError
	if errors.As(err, &bad) {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return nil
	}
	if err != nil {
		return err
	}
	if up.attempt != h.attempt(planID) {
		up.problems = append(up.problems, pay.UploadProblem{Problem: pay.UploadInvalid})
	}
	if len(up.problems) > 0 {
		page := h.page(s, r)
		page.Upload = h.uploadForm(s, planID, up.problems)
		h.render(w, http.StatusUnprocessableEntity, page, s.returns())
		return nil
	}
	if taken, err = h.take(r, planID, up.files); err != nil {
		return err
	}
	if h.Wake != nil {
		h.Wake()
	}
	return h.backTo(w, r, s, planID)
}

// backTo leads to the page, which says how it stands now.
func (h *Handler) backTo(w http.ResponseWriter, r *http.Request, s subject, planID string) error {
	pay.SecurityHeaders(w.Header(), s.returns())
	http.Redirect(w, r, h.self(r, planID), http.StatusSeeOther)
	return nil
}

// take adds files to the payment, if it still waits for them.
func (h *Handler) take(r *http.Request, planID string, files []received) (taken bool, err error) {
	err = h.DB.Write(r.Context(), func(tx *db.Tx) error {
		taken = false
		s, err := h.load(r, tx, planID)
		if err != nil || !s.wanted() {
			return err
		}
		for _, f := range files {
			if _, err := h.Documents.AddBuyer(r.Context(), tx, s.merchant.ID, s.payment.ID, f.kind, document.Stored(f.Upload), s.now); err != nil {
				return err
			}
		}
		taken = true
		_, err = h.Deferred.Review(r.Context(), tx, s.merchant, s.now, s.payment.ID, deferred.StatusPendingReview)
		return err
	})
	var refused *apierr.Error
	if errors.As(err, &refused) {
		// Somebody decided on the payment meanwhile.
		return false, nil
	}
	return taken && err == nil, err
}

// read stores the files of a form while they arrive and notes what is wrong with
// them.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, up *upload) error {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	parts, err := form.ReadParts(http.MaxBytesReader(w, r.Body, maxUpload), params["boundary"],
		func(name string, u *form.Upload, content io.Reader) error {
			return h.keep(r.Context(), up, name, u, content)
		})
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		// What came before is known, so the form can be shown again.
		up.problems, err = append(up.problems, pay.UploadProblem{Problem: pay.FilesTooMany}), nil
	}
	if attempts := parts.Text[pay.FieldAttempt]; len(attempts) > 0 {
		up.attempt = attempts[0]
	}
	if err == nil && len(up.files) == 0 && len(up.problems) == 0 {
		up.problems = append(up.problems, pay.UploadProblem{Problem: pay.FileMissing})
	}
	return err
}

func (h *Handler) keep(ctx context.Context, up *upload, name string, u *form.Upload, content io.Reader) error {
	kind, ok := strings.CutPrefix(name, pay.UploadField(""))
	if !ok || !slices.Contains(document.Kinds(), kind) {
		return nil
	}
	if len(up.files) == maxFiles {
		up.problems = append(up.problems, pay.UploadProblem{Problem: pay.FilesTooMany})
	}
	if len(up.files) >= maxFiles {
		return nil
	}
	// It is listed even when storing it fails, to be cleared away.
	up.files = append(up.files, received{kind, u})
	if err := h.Documents.Keep(ctx, u, content); err != nil {
		return err
	}
	problem := pay.UploadProblem{Kind: kind, File: u.Filename}
	switch document.Refused(u) {
	case "":
		return nil
	case document.RefusedEmpty:
		problem.Problem = pay.FileEmpty
	case document.RefusedSize:
		problem.Problem = pay.FileSize
	case document.RefusedType:
		problem.Problem = pay.FileType
	}
	up.problems = append(up.problems, problem)
	return nil
}

func (h *Handler) drop(ctx context.Context, files []received) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearing)
	defer cancel()
	for _, f := range files {
		h.Documents.Drop(ctx, f.Upload)
	}
}
