package blob

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config names a bucket of a store that speaks the S3 API.
type S3Config struct {
	// Endpoint is the address of the store, such as https://s3.example; without a
	// scheme it is https. Buckets are named in the path.
	Endpoint string
	Bucket   string
	// Region is that of the signatures; "" is us-east-1, which stores that know no
	// regions take.
	Region    string
	AccessKey string
	SecretKey string
}

// S3 keeps blobs in a bucket.
type S3 struct {
	client *minio.Client
	bucket string
}

// partSize is how much of a blob of unknown size is held in memory at once: the
// least that the S3 API allows for a part.
const partSize = 5 << 20

// The deadlines of a request, beside that of its context: a store that takes the
// connection and says nothing must not hold up a request for ever.
const (
	handshake      = 10 * time.Second
	responseHeader = 60 * time.Second
)

// NewS3 returns the store for a bucket, which must exist. It calls nobody.
func NewS3(c S3Config) (*S3, error) {
	endpoint := c.Endpoint
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		u, err = url.Parse("https://" + endpoint)
	}
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("the S3 endpoint %q is not of the form https://host", c.Endpoint)
	}
	if c.Bucket == "" || c.AccessKey == "" || c.SecretKey == "" {
		return nil, fmt.Errorf("the S3 store needs a bucket, an access key and a secret key")
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: u.Scheme == "https", Region: c.Region,
		BucketLookup: minio.BucketLookupPath,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: handshake, ResponseHeaderTimeout: responseHeader, ForceAttemptHTTP2: true,
			DisableCompression: true,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("the S3 store: %w", err)
	}
	return &S3{client: client, bucket: c.Bucket}, nil
}

// Put implements Store. A blob of unknown size that is no larger than a part is
// sent at once; another is sent in parts, and is there when the last of them is.
func (s *S3) Put(ctx context.Context, key string, from io.Reader, size int64, contentType string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	r := &reader{from: from}
	body, known := io.Reader(r), size
	if size == Unknown {
		var first bytes.Buffer
		_, err := io.CopyN(&first, r, partSize)
		switch {
		case err == io.EOF:
			body, known = &first, int64(first.Len())
		case err != nil:
			return r.fault(err, size)
		default:
			body = io.MultiReader(&first, r)
		}
	}
	_, err := s.client.PutObject(ctx, s.bucket, key, body, known, minio.PutObjectOptions{ContentType: contentType, PartSize: partSize})
	return r.fault(err, size)
}

// Get implements Store.
func (s *S3) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, err
	}
	o, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, Info{}, err
	}
	// The object is asked for here, not when it is opened.
	found, err := o.Stat()
	if err != nil {
		_ = o.Close() // the request failed already
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			return nil, Info{}, ErrNotFound
		}
		return nil, Info{}, err
	}
	return o, Info{Size: found.Size, ContentType: found.ContentType}, nil
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
}
