// SPDX-License-Identifier: Apache-2.0
package v20170312

import "errors"

type Filter struct {
	Name   *string
	Values []*string
}
type Route struct {
	DestinationCidrBlock, GatewayId, GatewayType, RouteType *string
	Enabled                                                 *bool
	RouteId                                                 *uint64
}
type RouteTable struct {
	RouteTableId *string
	RouteSet     []*Route
}
type DescribeRouteTablesRequest struct{ Filters []*Filter }
type DeleteRoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}
type CreateRoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}
type resp struct{ RouteTableSet []*RouteTable }
type DescribeRouteTablesResponse struct{ Response *resp }
type Client struct{}

var no = errors.New("not built in")

func NewClientWithSecretId(a, b, c string) (*Client, error) { return nil, no }
func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest {
	return &DescribeRouteTablesRequest{}
}
func NewDeleteRoutesRequest() *DeleteRoutesRequest { return &DeleteRoutesRequest{} }
func NewCreateRoutesRequest() *CreateRoutesRequest { return &CreateRoutesRequest{} }
func (*Client) DescribeRouteTables(*DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) {
	return nil, no
}
func (*Client) DeleteRoutes(*DeleteRoutesRequest) (any, error) { return nil, no }
func (*Client) CreateRoutes(*CreateRoutesRequest) (any, error) { return nil, no }
