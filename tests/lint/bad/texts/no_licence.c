/* lint: licence */
int x;
