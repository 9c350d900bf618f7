package company

import (
	"encoding/binary"
	"slices"
)

// A segment holds at most segmentSize companies; a company's number is its
// segment's number and its place there.
const (
	placeBits   = 20
	segmentSize = 500_000
)

// The places of a word's companies are packed as varints: the distance to the
// place before, shifted by wordBits, and in the low bits how many words the
// company's name has, less one. So the names that consist of little else than
// the words asked for are known without being read.
const wordBits = 3

const maxCounted = 1 << wordBits

// hit is a company's number shifted by wordBits, and its count of words.
type hit uint64

func (h hit) n() int64   { return int64(h >> wordBits) }
func (h hit) words() int { return int(h&(maxCounted-1)) + 1 }

// places is the packed list of one word while a segment is being written.
type places struct {
	companies int64
	last      int64
	packed    []byte
}

func (p *places) add(place int64, words int) {
	delta := place - p.last
	if p.companies == 0 {
		delta = place
	}
	p.companies, p.last = p.companies+1, place
	p.packed = binary.AppendUvarint(p.packed, uint64(delta)<<wordBits|uint64(min(words, maxCounted)-1))
}

// wordPlaces is the packed list of one word in one segment as it is read.
type wordPlaces struct {
	segment int64
	packed  []byte
}

// next takes the next hit off the list. last is the one before.
func (p *wordPlaces) next(last hit) (hit, bool) {
	v, n := binary.Uvarint(p.packed)
	if n <= 0 {
		return 0, false
	}
	p.packed = p.packed[n:]
	place := hit(v) >> wordBits
	if last != 0 {
		place += last >> wordBits
	} else {
		place += hit(p.segment) << placeBits
	}
	return place<<wordBits | hit(v)&(maxCounted-1), true
}

// unpack returns the hits of the lists, which come in the order of their
// segments, and no more than limit.
func unpack(lists []wordPlaces, limit int) []hit {
	var out []hit
	for _, l := range lists {
		var last hit
		for len(out) < limit {
			h, ok := l.next(last)
			if !ok {
				break
			}
			out = append(out, h)
			last = h
		}
	}
	return out
}

// intersect keeps the hits that are in the lists too. Both are in order.
func intersect(hits []hit, lists []wordPlaces) []hit {
	var out []hit
	for _, l := range lists {
		first := hit(l.segment) << (placeBits + wordBits)
		end := hit(l.segment+1) << (placeBits + wordBits)
		i, _ := slices.BinarySearch(hits, first)
		var last hit
		for i < len(hits) && hits[i] < end {
			h, ok := l.next(last)
			if !ok {
				break
			}
			last = h
			for i < len(hits) && hits[i] < h {
				i++
			}
			if i < len(hits) && hits[i] == h {
				out = append(out, h)
				i++
			}
		}
	}
	return out
}

// union merges hits of several words.
func union(hits []hit) []hit {
	slices.Sort(hits)
	return slices.Compact(hits)
}

// nearest keeps the hits whose names have about as many words as were asked for:
// as many, then one more, and so on; one less is as far off as two more.
func nearest(hits []hit, words, limit int) []hit {
	if len(hits) <= limit {
		return hits
	}
	var byDistance [2*maxCounted + 1][]hit
	for _, h := range hits {
		d := h.words() - min(words, maxCounted)
		if d < 0 {
			d = -2 * d
		}
		// What is kept of each is enough to fill the whole.
		if len(byDistance[d]) < limit {
			byDistance[d] = append(byDistance[d], h)
		}
	}
	var out []hit
	for _, same := range byDistance {
		out = append(out, same[:min(len(same), limit-len(out))]...)
	}
	return out
}
