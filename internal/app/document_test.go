package app_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/form"
)

// TestLeftFilesAreSwept: a file whose process was killed before its document was
// written is gone after a day, without anybody asking for it.
func TestLeftFilesAreSwept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := t.TempDir()
		c := app.Config{Documents: app.DocumentConfig{Dir: dir}}
		s := apptest.Start(t, d, func(out *app.Config) { out.Documents = c.Documents })
		files := func() (n int) {
			err := fs.WalkDir(os.DirFS(dir), ".", func(_ string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					n++
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		// The node that is killed is another one.
		killed, err := app.OpenDocuments(c, d, s.Clock)
		if err != nil {
			t.Fatal(err)
		}
		if err := killed.Keep(context.Background(), &form.Upload{}, strings.NewReader("%PDF-1.4 an invoice")); err != nil {
			t.Fatal(err)
		}
		if n := files(); n != 1 {
			t.Fatalf("%d files are stored", n)
		}
		s.Clock.Advance(26 * time.Hour)
		apptest.Eventually(t, func() error {
			if n := files(); n > 0 {
				return fmt.Errorf("%d files are left", n)
			}
			return nil
		})
	})
}
