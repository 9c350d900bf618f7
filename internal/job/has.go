package job

import (
	"context"

	"tradecredit/internal/db"
)

const dueOf db.SQL = `SELECT u.o, d.parked FROM unnest($1::text[], $2::text[], $3::text[]) AS u(m, k, o)
	JOIN due d ON d.merchant_id = u.m AND d.kind = u.k AND d.object_id = u.o`

// Has tells which objects of a merchant have a due row of a kind, parked ones
// included.
func Has(ctx context.Context, tx *db.Tx, merchantID, kind string, objects []string) (map[string]bool, error) {
	merchants, kinds := make([]string, len(objects)), make([]string, len(objects))
	for i := range objects {
		merchants[i], kinds[i] = merchantID, kind
	}
	out := map[string]bool{}
	for _, args := range tx.Split(merchants, kinds, objects) {
		_, err := db.All(ctx, tx, dueOf, args, func(r db.Rows) (struct{}, error) {
			var object, parked string
			err := r.Scan(&object, &parked)
			out[object] = true
			return struct{}{}, err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
