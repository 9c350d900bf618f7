package job

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"

	"tradecredit/internal/db"
)

// runDue does due rows that were seen waiting, oldest first, and returns how many
// this node did. Each is taken and done in a transaction of its own, several side
// by side; those of one object stay in their order.
func (q *Queue) runDue(ctx context.Context, waiting []dueRow) (int, error) {
	shares := q.share(waiting)
	done, errs := make([]int, len(shares)), make([]error, len(shares))
	var all sync.WaitGroup
	for i, rows := range shares {
		if len(rows) == 0 {
			continue
		}
		all.Add(1)
		go func() {
			defer all.Done()
			done[i], errs[i] = q.runShare(ctx, rows)
		}()
	}
	all.Wait()
	sum := 0
	for _, n := range done {
		sum += n
	}
	return sum, errors.Join(errs...)
}

// object is what a due row is about, of whatever kind the row is.
type object struct{ merchantID, id string }

func (d dueRow) object() object { return object{d.MerchantID, d.ObjectID} }

// share divides due rows among the workers, all of one object to the same.
func (q *Queue) share(rows []dueRow) [][]dueRow {
	out := make([][]dueRow, max(1, q.Workers))
	for _, d := range rows {
		h := fnv.New32a()
		_, _ = h.Write([]byte(d.MerchantID + "/" + d.ObjectID))
		i := int(h.Sum32() % uint32(len(out)))
		out[i] = append(out[i], d)
	}
	return out
}

// runShare does the rows of one worker one after the other.
func (q *Queue) runShare(ctx context.Context, rows []dueRow) (done int, err error) {
	// What another node is at is not overtaken: later rows of the same object wait
	// for the next round.
	busy := map[object]bool{}
	for _, d := range rows {
		if busy[d.object()] {
			continue
		}
		did, err := q.runOneDue(ctx, d)
		if err != nil {
			return done, err
		}
		if did {
			done++
		} else {
			busy[d.object()] = true
		}
	}
	return done, nil
}

// runOneDue does a due row that was seen waiting, unless it was done or put off
// meanwhile, or another node is at it. It reports whether this node tried.
func (q *Queue) runOneDue(ctx context.Context, seen dueRow) (bool, error) {
	var taken *dueRow
	now := q.clock.Now()
	err := q.db.Write(ctx, func(tx *db.Tx) error {
		taken = nil
		d, err := db.One(ctx, tx, takeDue, []any{seen.MerchantID, seen.Kind, seen.ObjectID, db.Micros(now)}, scanDue)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		taken = &d
		d.Now = now.Add(d.offset)
		return q.do(ctx, tx, d.Due)
	})
	if err != nil && taken != nil && ctx.Err() == nil {
		return true, q.dueFailed(ctx, taken.Due, now, err)
	}
	return taken != nil, err
}
