/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_FORM_H
#define MODEL_FORM_H

enum shape {
	SHAPE_ROUND, /* a comment */
	SHAPE_SQUARE = 7,
};

int shape_count(int n);

#endif
